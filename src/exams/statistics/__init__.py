"""Exact statistics from sufficient statistics: the cost does not grow with the students."""
