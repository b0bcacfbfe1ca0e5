"""The warehouse's tables, made from the contract."""

from exams.contract import Contract, Field
from exams.schema import Column, Table, quoted
from exams.tables import FIGURES

_QUARTER = Column("quarter", "TEXT", "Quarter of the exams, such as 2019Q1.")
_DELIVERY_ID = Column("delivery", "INTEGER", "Delivery that the record came with.")
_LINE = Column("line", "INTEGER", "Physical line on which the record starts; the header is 1.")
_PROFILE = Column("profile", "INTEGER", "Profile (combination of levels) of the students.")
_N = Column("n", "INTEGER", "Students counted.", "students")

DELIVERY = Table(
    "delivery",
    "One row per delivered file, for ever. Removed and superseded ones keep their row.",
    (
        Column("id", "INTEGER", "Number of the delivery."),
        _QUARTER,
        Column("file", "TEXT", "Name of the file."),
        Column("sha256", "TEXT", "SHA-256 of the file's bytes."),
        Column("bytes", "INTEGER", "Size of the file.", "bytes"),
        Column("received", "INTEGER", "Records in the file.", "records"),
        Column("loaded", "INTEGER", "Records loaded: received less quarantined.", "records"),
        Column("quarantined", "INTEGER", "Records in quarantine.", "records"),
        Column("first_seen", "TEXT", "When it was first loaded, ISO 8601 in UTC."),
        Column("superseded_by", "INTEGER", "Delivery that replaced it; null if none did."),
        Column("removed", "TEXT", "When its records left the warehouse; null if they are in it."),
    ),
    ("id",),
    (("superseded_by", "delivery", "id"),),
)
QUARANTINE = Table(
    "quarantine",
    "One row per reason why a record was not loaded; distinct (file, line) counts records.",
    (
        _QUARTER,
        Column("file", "TEXT", "Name of the file."),
        _LINE,
        Column("column", "TEXT", "Contract name of the field; * for the whole record."),
        Column("value", "TEXT", "The value as received. Private."),
        Column("reason", "TEXT", "Reason code."),
        _DELIVERY_ID,
    ),
    ("delivery", "line", "column", "reason"),
    (("delivery", "delivery", "id"),),
)
LOADED = Table(
    "loaded",
    "One row per loaded quarter: the receipt, committed together with the quarter's records.",
    (
        _QUARTER,
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
        _QUARTER,
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
        _QUARTER,
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
        _QUARTER,
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


def tables(contract: Contract) -> tuple[Table, ...]:
    """Return the tables of the warehouse under `contract`, in order of creation."""
    levels = [Column(d.name, "TEXT", _meaning(d)) for d in contract.dimensions]
    scores = [Column(s.name, "INTEGER", _meaning(s), _steps(s)) for s in contract.scores]
    profile = Table(
        "profile",
        "One row per combination of levels of the dimensions that was ever loaded.",
        (Column("id", "INTEGER", "Number of the profile."), *levels),
        ("id",),
    )
    result = Table(
        "result",
        "One row per loaded record; `results` shows the same in full.",
        (Column("key", "INTEGER", "delivery << 32 | line."), _PROFILE, *scores),
        ("key",),
        (("profile", "profile", "id"),),
    )
    combination = Table(
        "cube_combination",
        "One row per quarter and combination of all scores: how many students.",
        (_QUARTER, *scores, _N),
        ("quarter", *(s.name for s in contract.scores)),
    )
    cube = (CUBE, CUBE_VALUE, CUBE_MOMENT, combination)
    return DELIVERY, LOADED, profile, result, QUARANTINE, *cube, *MODEL


def results_view(contract: Contract) -> Table:
    """Return the description of the view `results`."""
    fields = [
        Column(
            f.name, "TEXT" if f.levels else "REAL" if f.decimals else "INTEGER", _meaning(f), f.unit
        )
        for f in contract.kept
    ]
    return Table(
        "results",
        "One row per loaded record, as people read it.",
        (_QUARTER, Column("file", "TEXT", "Name of the file."), _LINE, *fields),
        ("quarter", "file", "line"),
    )


def results_sql(contract: Contract) -> str:
    """Return the statement that creates the view `results`."""
    fields = [
        f"p.{quoted(f.name)}" if f.levels
        else f"r.{quoted(f.name)} / {10**f.decimals}.0 AS {quoted(f.name)}" if f.decimals
        else f"r.{quoted(f.name)}"
        for f in contract.kept
    ]  # fmt: skip
    return (
        "CREATE VIEW results AS\n"
        f"SELECT d.quarter, d.file, r.key & 4294967295 AS line, {', '.join(fields)}\n"
        "FROM result r JOIN delivery d ON d.id = r.key >> 32 JOIN profile p ON p.id = r.profile"
    )


def _type(field: Field) -> str:
    return "TEXT" if field.levels else "REAL" if field.decimals else "INTEGER"


def _steps(score: Field) -> str:
    unit = score.unit or "points"
    return f"{score.step:g} {unit}" if score.decimals else unit


def _meaning(field: Field) -> str:
    return field.description + ("" if field.required else " Null: no value.")
