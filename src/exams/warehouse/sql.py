"""Expressions that both stores understand alike."""

_KINDS = {"TEXT": "TEXT", "INTEGER": "BIGINT", "REAL": "DOUBLE PRECISION"}


def cast(expression: str, kind: str) -> str:
    """Return the expression as TEXT, INTEGER or REAL."""
    return f"CAST({expression} AS {_KINDS[kind]})"


def in_units(column: str, decimals: int) -> str:
    """Return a column of steps in units: a step is 10^-decimals of one."""
    return f"{column} / {cast(str(10**decimals), 'REAL')}" if decimals else column


def text(words: str) -> str:
    """Return words as a literal."""
    return "'" + words.replace("'", "''") + "'"
