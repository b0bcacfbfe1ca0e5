"""One module per notebook, which does what must not be got wrong."""
