"""Expressions that both stores understand alike."""

from collections.abc import Iterable

from exams.schema import quoted

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


def ranked(dimensions: Iterable[str]) -> str:
    """Return a query of all profiles: number, and place in the order of their levels, none last.

    Numbers tell which profile was loaded first, and on a server by whom; sums must not.
    """
    levels = ", ".join(f"{quoted(name)} IS NULL, {quoted(name)}" for name in dimensions)
    return f"SELECT id AS number, row_number() OVER (ORDER BY {levels}) AS place FROM profile"
