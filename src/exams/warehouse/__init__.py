"""The private warehouse: every clean record, its delivery, the quarantine and the cube."""
