"""published.db for other programs: read-only through Datasette, as JSON and CSV."""
