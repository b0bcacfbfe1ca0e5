"""The view of a quarter's records as people read them, with their score levels.

It is made with the table of these records, and says for good what is in it: numbers in the units
and score levels of the contract under which it is filled.
"""

from collections.abc import Callable, Sequence

from exams.contract import Contract, Field
from exams.contract.checks import MADE
from exams.schema import Column, Table, quoted
from exams.warehouse.deliveries import LINE, QUARTER
from exams.warehouse.schema import meaning
from exams.warehouse.sql import cast, in_units, text

_OF_FILE = (QUARTER, Column("file", "TEXT", "Name of the file."), LINE)  # begin each such view
KEY = tuple(column.name for column in _OF_FILE)
_NEAR = 1e-9  # far below any step of a scale
_CODE, _LABEL = MADE


def labelled_view(contract: Contract, name: str) -> Table:
    """Return the view, called `name`, of a quarter's records under `contract`."""
    shown = [Column(d.name, "TEXT", meaning(d)) for d in contract.dimensions]
    for score in contract.scores:
        kind = "REAL" if score.decimals else "INTEGER"
        shown.append(Column(score.name, kind, meaning(score), score.unit or "points"))
    for field in contract.identifiers:
        shown.append(Column(field.name, "TEXT", meaning(field)))
    if overall := contract.overall:
        shown.append(Column(overall.name, "REAL", "Mean of all scores; null without one."))
    for field in contract.reported:
        of = f"of {field.name}, under the contract of the quarter; null: no value."
        shown.append(Column(field.name + _CODE, "INTEGER", f"Order of the score level {of}"))
        shown.append(Column(field.name + _LABEL, "TEXT", f"Label of the score level {of}"))
    what = "One row per loaded record of a quarter, as people read it, with its score levels."
    return Table(name, what, (*_OF_FILE, *shown), KEY)


def labelled_query(
    contract: Contract, quarter: str, table: str, hexadecimal: Callable[[str], str]
) -> str:
    """Return what the view selects of `table`; `hexadecimal` makes a text of a pseudonym."""
    mean, overall = _mean(contract.scores), contract.overall
    made = [f"{mean} AS {quoted(overall.name)}"] if overall else []
    for field in contract.reported:
        value = mean if field is overall else quoted(field.name)
        codes = [(str(band.code), field.units(band.low)) for band in field.bands]
        labels = [(text(band.label), field.units(band.low)) for band in field.bands]
        made.append(f"{_case(value, codes, 'INTEGER')} AS {quoted(field.name + _CODE)}")
        made.append(f"{_case(value, labels, 'TEXT')} AS {quoted(field.name + _LABEL)}")
    records = _records(contract, quarter, table, hexadecimal)
    return f"SELECT {', '.join(['s.*', *made])} FROM ({records}) s"


def _records(
    contract: Contract, quarter: str, table: str, hexadecimal: Callable[[str], str]
) -> str:
    shown = [f"{text(quarter)} AS quarter", "d.file", f"r.key & 4294967295 AS {LINE.name}"]
    shown += [f"p.{quoted(d.name)}" for d in contract.dimensions]
    for score in contract.scores:
        column = f"r.{quoted(score.name)}"
        value = in_units(column, score.decimals) if score.decimals else cast(column, "INTEGER")
        shown.append(f"{value} AS {quoted(score.name)}")
    for field in contract.identifiers:
        shown.append(f"{hexadecimal(f'r.{quoted(field.name)}')} AS {quoted(field.name)}")
    return (
        f"SELECT {', '.join(shown)} FROM {quoted(table)} r"
        " JOIN delivery d ON d.id = r.key >> 32 JOIN profile p ON p.id = r.profile"
    )


def _mean(scores: Sequence[Field]) -> str:
    total = " + ".join(quoted(score.name) for score in scores)
    return f"({total}) / {cast(str(len(scores)), 'REAL')}"


def _case(value: str, found: Sequence[tuple[str, float]], kind: str) -> str:
    """Return what of `found`, by its lowest score, belongs to a value; null for none."""
    whens = [f"WHEN {value} >= {low - _NEAR!r} THEN {what}" for what, low in reversed(found)]
    return cast(f"CASE {' '.join(whens)} END", kind)
