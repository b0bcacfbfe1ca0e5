"""Published tables that compare scores, groups and quarters, and tell how well models predict."""

from exams.columns import DIMENSION, HIGH, LEVEL, LOW, QUARTER, SCORE, SHARE, SUPPRESSED, TAKERS, N
from exams.schema import Column, Table

NOT_FOR_PERSONS = "Do not use for decisions on a person."
TARGET = Column("target", "TEXT", "Contract name of the score; at_risk: any score too low.")
_P = Column("p", "REAL", "P value, Holm's correction over the table; null if undefined.")
_AT_RISK = Column("at_risk", "INTEGER", "Students at risk.", "students")

MODAL_LEVEL = Table(
    "modal_level",
    "One row per quarter, group and score with students: the score level that most are at.",
    (
        QUARTER,
        DIMENSION,
        LEVEL,
        SCORE,
        Column("code", "INTEGER", "Order of the score level; of equals the lowest."),
        Column("band", "TEXT", "Label of the score level."),
        N,
        SHARE,
        SUPPRESSED,
    ),
    ("quarter", "dimension", "level", "score"),
)
SCORE_GAPS = Table(
    "score_gaps",
    "One row per quarter, group and pair of scores of one scale: difference of their means.",
    (
        QUARTER,
        DIMENSION,
        LEVEL,
        SCORE,
        Column("other", "TEXT", "Contract name of the other score."),
        Column("n", "INTEGER", "Students with every score.", "students"),
        Column("gap", "REAL", "Mean of score minus mean of other, of the same students."),
        LOW,
        HIGH,
        _P,
        Column("sentence", "TEXT", "The gap in plain words."),
        SUPPRESSED,
    ),
    ("quarter", "dimension", "level", "score", "other"),
)
ADJUSTED_GAPS = Table(
    "adjusted_gaps",
    "One row per quarter, group and score: gap from the largest group, other dimensions held.",
    (
        QUARTER,
        DIMENSION,
        LEVEL,
        Column("reference", "TEXT", "Largest level of the dimension, compared with."),
        SCORE,
        Column("n", "INTEGER", "Students of the smaller group.", "students"),
        Column("gap", "REAL", "Coefficient of least squares, published rounded; null: untold."),
        LOW,
        HIGH,
        _P,
        Column("note", "TEXT", "What weakens the figure, in words; empty if nothing does."),
        SUPPRESSED,
    ),
    ("quarter", "dimension", "level", "score"),
)

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
        TAKERS,
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
CALIBRATION = Table(
    "calibration",
    "One row per quarter and bin of students by predicted chance of being at risk. "
    + NOT_FOR_PERSONS,
    (
        QUARTER,
        Column("bin", "INTEGER", "Order of the bin, 1 the lowest chance."),
        N,
        _AT_RISK,
        Column("predicted", "REAL", "Mean predicted chance, 0 to 1, to three decimals."),
        Column("observed", "REAL", "Share of students at risk, 0 to 1."),
        LOW,
        HIGH,
        SUPPRESSED,
    ),
    ("quarter", "bin"),
)
FLAGGED = Table(
    "flagged_by_group",
    "One row per quarter, group and outcome, if students with more than the average chance of"
    f" being at risk were flagged. {NOT_FOR_PERSONS}",
    (
        QUARTER,
        DIMENSION,
        LEVEL,
        Column("outcome", "TEXT", "At risk: caught, missed; not: false alarm, cleared."),
        N,
        SHARE,
        SUPPRESSED,
    ),
    ("quarter", "dimension", "level", "outcome"),
)
FAIRNESS = Table(
    "fairness",
    "One row per quarter and group: whom flagging by predicted chance would reach. "
    + NOT_FOR_PERSONS,
    (
        QUARTER,
        DIMENSION,
        LEVEL,
        N,
        _AT_RISK,
        Column("flagged", "REAL", "Share of students flagged, 0 to 1."),
        Column("missed", "REAL", "Share of those at risk not flagged; null if nobody is at risk."),
        Column("false_alarms", "REAL", "Share of the others flagged; null if there are none."),
        SUPPRESSED,
    ),
    ("quarter", "dimension", "level"),
)
FAIRNESS_GAP = Table(
    "fairness_gap",
    "One row per quarter, dimension and rate: the highest of its groups less the lowest. "
    + NOT_FOR_PERSONS,
    (
        QUARTER,
        DIMENSION,
        Column("metric", "TEXT", "flagged (demographic parity), missed, false_alarms."),
        Column("difference", "REAL", "Difference, 0 to 1; null if no two groups have a rate."),
        SUPPRESSED,
    ),
    ("quarter", "dimension", "metric"),
)
MODELS = (
    *(MODAL_LEVEL, SCORE_GAPS, ADJUSTED_GAPS, BREAK, CHANGE, PREDICTION, EXPLANATION),
    *(CALIBRATION, FLAGGED, FAIRNESS, FAIRNESS_GAP),
)
