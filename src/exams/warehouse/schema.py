"""The warehouse's tables, made from the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exams.contract import Contract, Field
from exams.schema import Column, Table, quoted
from exams.tables import FIGURES
from exams.warehouse.deliveries import DELIVERY, LINE, OF_DELIVERY, OF_QUARTER, QUARTER

_PROFILE = Column("profile", "INTEGER", "Profile (combination of levels) of the students.")
_N = Column("n", "INTEGER", "Students counted.", "students")

LOADED = Table(
    "loaded",
    "One row per loaded quarter: the receipt, committed together with the quarter's records.",
    (
        QUARTER,
        Column("content", "TEXT", "Fingerprint of deliveries, contract and cube."),
        Column("contract", "TEXT", "Title of the contract."),
        Column("contract_version", "TEXT", "Version of the contract."),
    ),
    ("quarter",),
)
CUBE = Table(
    "cube",
    "One row per quarter and profile: how many students, how many of them at risk.",
    (
        QUARTER,
        _PROFILE,
        _N,
        Column("complete", "INTEGER", "Of these, with every score present.", "students"),
        Column("at_risk", "INTEGER", "Of these, with a score below its threshold.", "students"),
    ),
    ("quarter", "profile"),
    (("profile", "profile", "id"),),
)
CUBE_VALUE = Table(
    "cube_value",
    "One row per quarter, profile, score and value of it: how many students.",
    (
        QUARTER,
        _PROFILE,
        Column("score", "TEXT", "Contract name of the score."),
        Column("steps", "INTEGER", "Value of the score, in steps of its scale."),
        _N,
    ),
    ("quarter", "profile", "score", "steps"),
    (("profile", "profile", "id"),),
)
CUBE_MOMENT = Table(
    "cube_moment",
    "One row per quarter, profile and pair of scores: sum of products over complete records.",
    (
        QUARTER,
        _PROFILE,
        Column("score", "TEXT", "Contract name of a score."),
        Column("other", "TEXT", "The other score; empty: the plain sum of the first."),
        Column("total", "INTEGER", "Sum, in steps above the minimum of each scale, multiplied."),
    ),
    ("quarter", "profile", "score", "other"),
    (("profile", "profile", "id"),),
)
MODEL = tuple(
    Table(t.name, t.description, tuple(c for c in t.columns if c.name != "suppressed"), t.key)
    for t in FIGURES
)


@dataclass(frozen=True)
class View:
    """A view: what it shows, and the statement that creates it."""

    shown: Table
    sql: str


def tables(contract: Contract) -> tuple[Table, ...]:
    """Return the tables of the warehouse under `contract`, in order of creation.

    Those that have columns for the contract's fields keep the columns of earlier contracts.
    """
    levels = [Column(d.name, "TEXT", _meaning(d)) for d in contract.dimensions]
    scores = [Column(s.name, "INTEGER", _meaning(s), _steps(s)) for s in contract.scores]
    names = [
        Column(i.name, "BLOB", f"Pseudonym (HMAC-SHA256). {_meaning(i)}")
        for i in contract.identifiers
    ]
    profile = Table(
        "profile",
        "One row per combination of levels of the dimensions that was ever loaded.",
        (Column("id", "INTEGER", "Number of the profile."), *levels),
        ("id",),
    )
    result = Table(
        "result",
        "One row per loaded record; `results` shows the same in full.",
        (Column("key", "INTEGER", "delivery << 32 | line."), _PROFILE, *scores, *names),
        ("key",),
        (("profile", "profile", "id"),),
    )
    combination = Table(
        "cube_combination",
        "One row per quarter and combination of all scores: how many students.",
        (
            Column("id", "INTEGER", "Number of the row."),
            QUARTER,
            _N,
            *scores,
        ),
        ("id",),
    )
    cube = (CUBE, CUBE_VALUE, CUBE_MOMENT, combination)
    records = (profile, result, *OF_DELIVERY, *OF_QUARTER)
    return DELIVERY, LOADED, *records, *cube, *MODEL


def results_view(
    dimensions: Sequence[str],
    scores: Sequence[tuple[str, int | None]],
    identifiers: Sequence[str],
    meanings: Mapping[str, str],
) -> View:
    """Return the view `results` over all fields that were ever loaded.

    scores: name and decimals; None where contracts differ in them. meanings: by field.
    """
    columns = [QUARTER, Column("file", "TEXT", "Name of the file."), LINE]
    columns += [Column(name, "TEXT", meanings[name]) for name in dimensions]
    columns += [
        Column(name, "REAL" if decimals != 0 else "INTEGER", meanings[name])
        for name, decimals in scores
    ]
    columns += [Column(name, "TEXT", meanings[name]) for name in identifiers]
    selected = ["d.quarter", "d.file", "r.key & 4294967295 AS line"]
    selected += [f"p.{quoted(name)}" for name in dimensions]
    selected += [_in_units(name, decimals) for name, decimals in scores]
    selected += [f"lower(hex(r.{quoted(i)})) AS {quoted(i)}" for i in identifiers]
    sql = (
        f"CREATE VIEW results AS\nSELECT {', '.join(selected)}\n"
        "FROM result r JOIN delivery d ON d.id = r.key >> 32 JOIN profile p ON p.id = r.profile"
    )
    what = "One row per loaded record, as people read it."
    return View(Table("results", what, tuple(columns), ("quarter", "file", "line")), sql)


def _in_units(score: str, decimals: int | None) -> str:
    column = quoted(score)
    if decimals == 0:
        return f"r.{column}"
    if decimals:
        return f"r.{column} / {10**decimals}.0 AS {column}"
    own = "f.quarter = d.quarter AND f.name = '" + score + "'"
    tens = " ".join(f"WHEN {places} THEN {10**places}.0" for places in range(4))
    per_unit = f"(SELECT CASE f.decimals {tens} END FROM contract_field f WHERE {own})"
    return f"r.{column} / {per_unit} AS {column}"


def _steps(score: Field) -> str:
    unit = score.unit or "points"
    return f"{score.step:g} {unit}" if score.decimals else unit


def _meaning(field: Field) -> str:
    return field.description + ("" if field.required else " Null: no value.")
