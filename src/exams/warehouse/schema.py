"""The warehouse's tables, made from the contract."""

from exams.contract import Contract, Field
from exams.quarters import number_of
from exams.schema import Column, Table
from exams.tables import FIGURES
from exams.warehouse.deliveries import (
    DELIVERY,
    OBSERVED,
    OF_DELIVERY,
    OF_QUARTER,
    QUARTER,
    REPAIR,
)
from exams.warehouse.fold_tables import BY_FOLD
from exams.warehouse.model_tables import PRIVATE
from exams.warehouse.prediction_tables import PREDICTED, STUDENT_PREDICTION
from exams.warehouse.sql import keys

_PROFILE = Column("profile", "INTEGER", "Profile (combination of levels) of the students.")
_N = Column("n", "INTEGER", "Students counted.", "students")
_KEY = Column("key", "INTEGER", "Quarter (2019Q1: 20191) << 32 | number of the row in it.")

LOADED = Table(
    "loaded",
    "One row per loaded quarter: the receipt, committed together with the quarter's records.",
    (
        QUARTER,
        Column("content", "TEXT", "Fingerprint of deliveries, contract and cube."),
        Column("contract", "TEXT", "Title of the contract."),
        Column("contract_version", "TEXT", "Version of the contract."),
        Column("office", "TEXT", "Mark of the office (of its data folder) that loaded it."),
    ),
    ("quarter",),
)
MODELLED = Table(
    "modelled",
    "One row per quarter with figures: the receipt, committed together with them.",
    (QUARTER, Column("content", "TEXT", "Fingerprint of the quarter's figures.")),
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
    "One row per quarter, profile, reported score and value of it: how many students.",
    (
        _KEY,
        QUARTER,
        _PROFILE,
        Column("score", "TEXT", "Contract name of the score, or of the overall score."),
        Column("steps", "INTEGER", "Value of the score, in steps; of the overall one: the total."),
        _N,
    ),
    ("key",),
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
# The figures before disclosure control, and what never leaves.
MODEL = (
    *(
        Table(t.name, t.description, tuple(c for c in t.columns if c.name != "suppressed"), t.key)
        for t in FIGURES
    ),
    *PRIVATE,
    *PREDICTED,
)
# What may be read without the right to read records: counts of files, settings, and figures.
AGGREGATES = (
    *(t.name for t in (DELIVERY, LOADED, MODELLED, REPAIR, OBSERVED, *OF_QUARTER)),
    *(t.name for t in MODEL if t is not STUDENT_PREDICTION),
    "data_dictionary",
    "layout",
)
# But for these columns: of a file with few records, they would tell of each.
WITHHELD = {DELIVERY.name: ("sha256", "bytes"), OBSERVED.name: ("lowest", "highest")}


def tables(contract: Contract) -> tuple[Table, ...]:
    """Return the tables of the warehouse under `contract`, in order of creation.

    Those that have columns for the contract's fields keep the columns of earlier contracts.
    """
    levels = [Column(d.name, "TEXT", meaning(d)) for d in contract.dimensions]
    scores = [Column(s.name, "INTEGER", meaning(s), _steps(s)) for s in contract.scores]
    profile = Table(
        "profile",
        "One row per combination of levels of the dimensions that was ever loaded.",
        (Column("id", "INTEGER", "Number of the profile."), *levels),
        ("id",),
    )
    combination = Table(
        "cube_combination",
        "One row per quarter and combination of all scores: how many students.",
        (_KEY, QUARTER, _N, *scores),
        ("key",),
    )
    cube = (CUBE, CUBE_VALUE, CUBE_MOMENT, combination, *BY_FOLD)
    records = (profile, *OF_DELIVERY, *OF_QUARTER)
    return DELIVERY, LOADED, MODELLED, *records, *cube, *MODEL


def keys_of(quarter: str) -> tuple[int, int]:
    """Return the first key of a quarter's rows in large tables of the cube, and the next one's."""
    return keys(number_of(quarter))


def result_table(contract: Contract, name: str) -> Table:
    """Return the table of a quarter's records."""
    scores = [Column(s.name, "INTEGER", meaning(s), _steps(s)) for s in contract.scores]
    names = [Column(i.name, "BLOB", meaning(i)) for i in contract.identifiers]
    return Table(
        name,
        "One row per loaded record of a quarter; `results` shows those of all quarters in full.",
        (Column("key", "INTEGER", "delivery << 32 | line."), _PROFILE, *scores, *names),
        ("key",),
        (("profile", "profile", "id"),),
    )


def _steps(score: Field) -> str:
    unit = score.unit or "points"
    return f"{score.step:g} {unit}" if score.decimals else unit


def meaning(field: Field) -> str:
    """Return what a column of a field's values means, and what null means in it."""
    what = "Pseudonym (HMAC-SHA256). " if field.role == "identifier" else ""
    return what + field.description + ("" if field.required else " Null: no value.")
