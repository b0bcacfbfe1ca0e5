"""The view `labelled`: every record with its score levels, under the contract of its quarter."""

from collections.abc import Sequence

from exams.schema import Column, Table, quoted
from exams.warehouse.dialect import Connection, structure
from exams.warehouse.sql import cast, text

_NEAR = 1e-9  # far below any step of a scale
_NO_VALUE = cast("NULL", "REAL")
Bands = Sequence[tuple[int, str, float]]  # code, label, lowest score; ascending


def show_labelled(connection: Connection) -> None:
    """Make the view `labelled` from the view `results` and the score levels of each quarter."""
    connection.execute("DELETE FROM data_dictionary WHERE \"table\" = 'labelled'")
    store, levels = structure(connection), _levels(connection)
    if not levels:
        store.show(connection, "labelled", None)
        return
    scores = list(dict.fromkeys(score for of in reversed(levels.values()) for score in of))
    shown = store.columns(connection, "results")
    overall = [score for score in scores if score not in shown]
    arms = [
        _arm(quarter, levels[quarter], _scores(connection, quarter), scores, overall)
        for quarter in levels
    ]
    store.show(connection, "labelled", "\nUNION ALL\n".join(arms))
    store.document(connection, [_described(connection, scores, overall)])


def _arm(
    quarter: str,
    levels: dict[str, Bands],
    parts: list[str],
    scores: list[str],
    overall: list[str],
) -> str:
    """Return the query of a quarter; nulls stand where its contract does not have a score."""
    total = " + ".join(f"r.{quoted(name)}" for name in parts)
    mean = f"({total}) / {cast(str(len(parts)), 'REAL')}"
    value = {name: f"r.{quoted(name)}" if name in parts else mean for name in levels}
    made = [f"{value.get(name, _NO_VALUE)} AS {quoted(name)}" for name in overall]
    for name in scores:
        bands = levels.get(name, [])
        of = value.get(name, _NO_VALUE)
        code = _case(of, [(str(code), low) for code, _, low in bands], "INTEGER")
        label = _case(of, [(text(label), low) for _, label, low in bands], "TEXT")
        made += [f"{code} AS {quoted(f'{name}_code')}", f"{label} AS {quoted(f'{name}_level')}"]
    return f"SELECT r.*, {', '.join(made)} FROM results r WHERE r.quarter = {text(quarter)}"


def _case(value: str, found: Sequence[tuple[str, float]], kind: str) -> str:
    """Return what of `found`, by its lowest score, belongs to a value; null for none."""
    if not found:
        return cast("NULL", kind)
    whens = [f"WHEN {value} >= {low - _NEAR!r} THEN {what}" for what, low in reversed(found)]
    return cast(f"CASE {' '.join(whens)} END", kind)


def _levels(connection: Connection) -> dict[str, dict[str, Bands]]:
    """Return the score levels by quarter and score."""
    found: dict[str, dict[str, list[tuple[int, str, float]]]] = {}
    query = "SELECT quarter, score, code, label, low FROM score_level ORDER BY quarter, rowid"
    for quarter, score, *band in connection.execute(query):
        found.setdefault(quarter, {}).setdefault(score, []).append(tuple(band))
    return {quarter: dict(levels) for quarter, levels in found.items()}


def _scores(connection: Connection, quarter: str) -> list[str]:
    query = "SELECT name FROM contract_field WHERE (quarter, role) = (?, 'score') ORDER BY position"
    return [name for (name,) in connection.execute(query, [quarter])]


def _described(connection: Connection, scores: list[str], overall: list[str]) -> Table:
    query = (
        'SELECT "column", type, description, unit FROM data_dictionary'
        " WHERE \"table\" = 'results' AND \"column\" <> '' ORDER BY rowid"
    )
    shown = [Column(*row) for row in connection.execute(query).fetchall()]
    shown += [Column(name, "REAL", "Mean of all scores; null without one.") for name in overall]
    for name in scores:
        of = f"of {name}, under the contract of the quarter; null: no value."
        shown.append(Column(f"{name}_code", "INTEGER", f"Order of the score level {of}"))
        shown.append(Column(f"{name}_level", "TEXT", f"Label of the score level {of}"))
    what = "One row per loaded record, as in results, with its score levels."
    return Table("labelled", what, tuple(shown), ("quarter", "file", "line"))
