"""The warehouse as a file: SQLite."""
