"""The rules at work on records: clean, or in quarantine with every reason."""
