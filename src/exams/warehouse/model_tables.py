"""Tables of the model stage that are never published."""

from exams.schema import Column, Table
from exams.tables import FIGURES

_SHARED = {c.name: c for t in FIGURES if t.name.endswith("_by_group") for c in t.columns}
_QUARTER, _DIMENSION, _LEVEL, _SCORE, _SHARE, _LOW, _HIGH = (
    _SHARED[name]
    for name in ("quarter", "dimension", "level", "score", "share", "ci_low", "ci_high")
)
_N = Column("n", "INTEGER", "Students counted.", "students")
_REFERENCE = Column("reference", "TEXT", "Largest level of the dimension, compared with.")
_P = Column("p", "REAL", "P value, Holm's correction over the table; null if undefined.")

LEVEL_BY_GROUP = Table(
    "level_by_group",
    "One row per quarter, group of students, score and score level: how many are at it.",
    (
        _QUARTER,
        _DIMENSION,
        _LEVEL,
        _SCORE,
        Column("code", "INTEGER", "Order of the score level, 1 the lowest."),
        Column("band", "TEXT", "Label of the score level."),
        _N,
        _SHARE,
        _LOW,
        _HIGH,
        Column("modal", "INTEGER", "1: no other level of the group has more students; else 0."),
    ),
    ("quarter", "dimension", "level", "score", "code"),
)
SCORE_GAPS = Table(
    "score_gaps",
    "One row per quarter, group and pair of scores of one scale: difference of their means.",
    (
        _QUARTER,
        _DIMENSION,
        _LEVEL,
        _SCORE,
        Column("other", "TEXT", "Contract name of the other score."),
        Column("n", "INTEGER", "Students with every score.", "students"),
        Column("gap", "REAL", "Mean of score minus mean of other, of the same students."),
        _LOW,
        _HIGH,
        _P,
    ),
    ("quarter", "dimension", "level", "score", "other"),
)
ADJUSTED_GAPS = Table(
    "adjusted_gaps",
    "One row per quarter, group and score: gap from the largest group, other dimensions held.",
    (
        _QUARTER,
        _DIMENSION,
        _LEVEL,
        _REFERENCE,
        _SCORE,
        Column("n", "INTEGER", "Students of the smaller group.", "students"),
        Column("gap", "REAL", "Coefficient of least squares; null if it cannot be told."),
        _LOW,
        _HIGH,
        _P,
        Column("collinearity", "REAL", "GVIF^(1/(2 df)) of the dimension; null if undefined."),
        Column("overlap", "REAL", "Share of students with one alike in the reference, 0 to 1."),
        Column("note", "TEXT", "What weakens the figure, in words; empty if nothing does."),
    ),
    ("quarter", "dimension", "level", "score"),
)
TIER_CHOICE = Table(
    "tier_choice",
    "One row per quarter and number of score tiers that was tried.",
    (
        _QUARTER,
        Column("k", "INTEGER", "Number of tiers."),
        Column("bic", "REAL", "BIC of the classification likelihood; lower is better."),
        Column("stability", "REAL", "Mean adjusted Rand index over bootstrap samples, up to 1."),
        Column("clusters", "INTEGER", "1: the tiers lie apart; 0: they cut a continuum."),
    ),
    ("quarter", "k"),
)
TIER_DRIFT = Table(
    "tier_drift",
    "One row per quarter, score tier and score: how it moved since the quarter before.",
    (
        _QUARTER,
        Column("tier", "INTEGER", "Score tier, 1 the lowest total."),
        Column("former", "TEXT", "The quarter before, with which it was compared."),
        Column("former_tier", "INTEGER", "Tier of that quarter that is most like it."),
        _SCORE,
        Column("mean", "REAL", "Mean score of the tier's students."),
        Column("former_mean", "REAL", "Mean score of the former tier's students."),
        _SHARE,
        Column("former_share", "REAL", "Share of students in the former tier, 0 to 1."),
    ),
    ("quarter", "tier", "score"),
)
FINDING = Table(
    "finding",
    "One row per quarter and gap, between groups or between scores: the gap in words.",
    (
        _QUARTER,
        _DIMENSION,
        _LEVEL,
        _SCORE,
        Column("other", "TEXT", "Score compared with; empty where groups are compared."),
        Column("sentence", "TEXT", "What the figures say, in plain words."),
    ),
    ("quarter", "dimension", "level", "score", "other"),
)
MODEL_HISTORY = Table(
    "model_history",
    "One row per quarter, model, subject and metric, of all quarters, with its lineage.",
    (
        _QUARTER,
        Column("model", "TEXT", "Name of the model."),
        Column("subject", "TEXT", "What it is about: a score's contract name; all: the quarter."),
        Column("metric", "TEXT", "Name of the metric."),
        Column("value", "REAL", "Value; null if undefined."),
        Column("contract_version", "TEXT", "Version of the contract of the quarter."),
        Column("content", "TEXT", "Fingerprint of what was loaded of the quarter."),
        Column("code", "TEXT", "Fingerprint of the package's modules that worked it out."),
    ),
    ("quarter", "model", "subject", "metric"),
)
PRIVATE = (
    LEVEL_BY_GROUP,
    SCORE_GAPS,
    ADJUSTED_GAPS,
    TIER_CHOICE,
    TIER_DRIFT,
    FINDING,
    MODEL_HISTORY,
)
