"""status.db: what happened, run by run. It records; Ploomber decides."""
