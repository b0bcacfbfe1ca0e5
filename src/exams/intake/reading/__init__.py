"""From a delivered file, whatever its kind, to its records as they were received."""
