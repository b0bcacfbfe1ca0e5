"""Published tables of several quarters together, up to one of them."""

from exams.columns import DIMENSION, HIGH, LEVEL, LOW, MEAN, QUARTER, SCORE, SD, SHARE, SUPPRESSED
from exams.schema import Column, Table

_SPAN = Column("span", "TEXT", "year: the quarters of its year up to it; all: every one up to it.")
_OF = (
    Column(
        "first", "TEXT", "First quarter in it: the last one that broke comparability, or later."
    ),
    Column("quarters", "INTEGER", "Published quarters in it.", "quarters"),
)
_N = Column("n", "INTEGER", "Results: a student counts in each quarter with exams.", "results")

MEAN_TO_DATE = Table(
    "mean_to_date",
    "One row per quarter, span of quarters up to it, group and score: mean and spread of them all.",
    (
        QUARTER,
        _SPAN,
        DIMENSION,
        LEVEL,
        SCORE,
        *_OF,
        _N,
        MEAN,
        SD,
        LOW,
        HIGH,
        SUPPRESSED,
    ),
    ("quarter", "span", "dimension", "level", "score"),
)
AT_RISK_TO_DATE = Table(
    "at_risk_to_date",
    "One row per quarter, span of quarters up to it and group: students at risk in them all.",
    (
        QUARTER,
        _SPAN,
        DIMENSION,
        LEVEL,
        *_OF,
        _N,
        Column("at_risk", "INTEGER", "Of these, with a score below its threshold.", "results"),
        SHARE,
        LOW,
        HIGH,
        SUPPRESSED,
    ),
    ("quarter", "span", "dimension", "level"),
)
TO_DATE = (MEAN_TO_DATE, AT_RISK_TO_DATE)
