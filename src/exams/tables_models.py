"""Published tables that compare quarters, and that tell how well models predict."""

from exams.columns import DIMENSION, HIGH, LEVEL, LOW, QUARTER, SCORE, SUPPRESSED, N
from exams.schema import Column, Table

NOT_FOR_PERSONS = "Do not use for decisions on a person."
TARGET = Column("target", "TEXT", "Contract name of the score; at_risk: any score too low.")

BREAK = Table(
    "comparability_break",
    "One row per quarter, score and reason why it cannot simply be compared with the one before.",
    (
        QUARTER,
        Column("place", "INTEGER", "Order of the breaks, from 0."),
        Column("former", "TEXT", "The quarter before, with which it was compared."),
        Column("score", "TEXT", "Contract name of the score whose line breaks; all: every score."),
        Column("subject", "TEXT", "Contract name of the field that changed; *: the contract."),
        Column("change", "TEXT", "Code of the change."),
        Column("detail", "TEXT", "What has changed here; never a value of a record."),
        Column("meaning", "TEXT", "The kind of change in words."),
    ),
    ("quarter", "place"),
)
CHANGE = Table(
    "change",
    "One row per quarter, group and score: change since the loaded quarter before.",
    (
        QUARTER,
        Column("former", "TEXT", "The quarter before, with which it was compared."),
        DIMENSION,
        LEVEL,
        SCORE,
        Column("n", "INTEGER", "Students with this score.", "students"),
        Column("n_former", "INTEGER", "Students with this score in the former quarter."),
        Column("delta", "REAL", "Mean minus the former mean, in units of the score."),
        LOW,
        HIGH,
        Column("effect", "REAL", "Hedges' g; null if undefined.", "standard deviations"),
        Column("p", "REAL", "P value, Holm's correction over groups; null if undefined."),
        Column("ks", "REAL", "Kolmogorov-Smirnov distance, 0 to 1; null: of a group, unpublished."),
        Column("psi", "REAL", "Population stability index over score levels; null likewise."),
        Column("composition", "REAL", "Part of delta by other shares of groups; null likewise."),
        Column("score_effect", "REAL", "Rest: the change at equal shares; null: that, or untold."),
        Column("alarm", "INTEGER", "1: all students' mean changed by the contract's rule; else 0."),
        SUPPRESSED,
    ),
    ("quarter", "dimension", "level", "score"),
)
PREDICTION = Table(
    "prediction",
    "One row per quarter, target, model that beats the baseline (and it) and metric, of students"
    f" the model has not seen. {NOT_FOR_PERSONS}",
    (
        QUARTER,
        TARGET,
        Column("model", "TEXT", "Name of the model; baseline: the same for every student."),
        Column("metric", "TEXT", "gain, rmse, brier, auc or log_loss."),
        N,
        Column("value", "REAL", "Value of the metric; null if undefined."),
        LOW,
        HIGH,
        SUPPRESSED,
    ),
    ("quarter", "target", "model", "metric"),
)
EXPLANATION = Table(
    "explanation",
    "One row per quarter, target that a model predicts and dimension: what it gains by it."
    f" {NOT_FOR_PERSONS}",
    (
        QUARTER,
        TARGET,
        DIMENSION,
        Column("gain", "REAL", "Share of the baseline's error removed by the dimension alone."),
        Column("lost", "REAL", "Gain of all dimensions less that of all but this one."),
        SUPPRESSED,
    ),
    ("quarter", "target", "dimension"),
)
MODELS = (BREAK, CHANGE, PREDICTION, EXPLANATION)
