"""A reproducible notebook pipeline for quarterly batches of exam results."""
