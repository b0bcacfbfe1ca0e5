"""The warehouse on a server: PostgreSQL."""
