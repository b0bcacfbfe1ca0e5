"""Backups: everything in the data folder that cannot be made anew, and the way back.

A backup is a folder that looks like the data folder, with manifest.json beside it. Databases are
copied by SQLite's online backup, so builds may go on meanwhile. Reports and the parts between
stages are left out: the next build makes them.
"""
