"""One module per notebook: what must not be got wrong, as small as its notebook allows."""
