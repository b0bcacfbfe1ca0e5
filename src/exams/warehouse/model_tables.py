"""Tables of the model stage that are never published."""

from exams.columns import DIMENSION, LEVEL, QUARTER, SCORE, SHARE
from exams.schema import Column, Table

ADJUSTED_LIMITS = Table(
    "adjusted_limits",
    "One row per quarter, group and score: what an adjusted gap rests on.",
    (
        QUARTER,
        DIMENSION,
        LEVEL,
        SCORE,
        Column("collinearity", "REAL", "GVIF^(1/(2 df)) of the dimension; null if undefined."),
        Column("overlap", "REAL", "Share of students with one alike in the reference, 0 to 1."),
    ),
    ("quarter", "dimension", "level", "score"),
)
TIER_CHOICE = Table(
    "tier_choice",
    "One row per quarter and number of score tiers that was tried.",
    (
        QUARTER,
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
        QUARTER,
        Column("tier", "INTEGER", "Score tier, 1 the lowest total."),
        Column("former", "TEXT", "The quarter before, with which it was compared."),
        Column("former_tier", "INTEGER", "Tier of that quarter that is most like it."),
        SCORE,
        Column("mean", "REAL", "Mean score of the tier's students."),
        Column("former_mean", "REAL", "Mean score of the former tier's students."),
        SHARE,
        Column("former_share", "REAL", "Share of students in the former tier, 0 to 1."),
    ),
    ("quarter", "tier", "score"),
)
MODEL_HISTORY = Table(
    "model_history",
    "One row per quarter, model, subject and metric, of all quarters, with its lineage.",
    (
        QUARTER,
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
PRIVATE = (ADJUSTED_LIMITS, TIER_CHOICE, TIER_DRIFT, MODEL_HISTORY)
