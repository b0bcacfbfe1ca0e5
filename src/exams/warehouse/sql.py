"""Expressions that both stores understand alike."""

from collections.abc import Sequence

from exams.schema import quoted

_OF_QUARTER = "quarter = ?"
OF_KEYS = "key >= ? AND key < ?"
OURS = 'SELECT DISTINCT "table" FROM data_dictionary'  # what we have made: others may be beside
UNDOCUMENT = 'DELETE FROM data_dictionary WHERE "table" = ?'
FORMER = "-"  # in the name of a table or view whose rows only former transactions may see
_KINDS = {"TEXT": "TEXT", "INTEGER": "BIGINT", "REAL": "DOUBLE PRECISION"}


def keys(number: int) -> tuple[int, int]:
    """Return the values of OF_KEYS for the rows whose keys are `number` << 32 | another one."""
    return number << 32, (number + 1) << 32


def cast(expression: str, kind: str) -> str:
    """Return the expression as TEXT, INTEGER or REAL."""
    return f"CAST({expression} AS {_KINDS[kind]})"


def as_text(column: str) -> str:
    """Return a column of REAL as TEXT: 2.0 as 2, which the stores tell each in its way."""
    whole = cast(column, "INTEGER")
    texts = f"THEN {cast(whole, 'TEXT')} ELSE {cast(column, 'TEXT')}"
    return f"CASE WHEN {column} = {whole} {texts} END"


def in_units(column: str, decimals: int) -> str:
    """Return a column of steps in units: a step is 10^-decimals of one."""
    return f"{column} / {cast(str(10**decimals), 'REAL')}" if decimals else column


def text(words: str) -> str:
    """Return words as a literal."""
    return "'" + words.replace("'", "''") + "'"


def by_levels(
    table: str, dimensions: Sequence[str], columns: str, order: str = "", rows: str = _OF_QUARTER
) -> str:
    """Return a query of a quarter's `rows` in `table`: levels for profiles, then `columns`.

    They come in the order of their levels, none last, and then in `order`. The numbers of
    profiles tell which was loaded first, and on a server by whom; sums must not.
    """
    levels = ", ".join(f"p.{quoted(name)}" for name in dimensions)
    ranks = ", ".join(f"{quoted(name)} IS NULL, {quoted(name)}" for name in dimensions)
    ranked = f"SELECT id AS number, row_number() OVER (ORDER BY {ranks}) AS place FROM profile"
    return (
        f"SELECT {levels}, {columns} FROM {table} c JOIN profile p ON p.id = c.profile"
        f" JOIN ({ranked}) r ON r.number = c.profile"
        f" WHERE {rows} ORDER BY r.place{order}"
    )
