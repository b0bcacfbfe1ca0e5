"""Tables of the model stage that tell how well models predict, never for decisions on a person."""

from exams.schema import Column, Table
from exams.tables import FIGURES

NOT_FOR_PERSONS = "Do not use for decisions on a person."
_SHARED = {c.name: c for t in FIGURES if t.name == "at_risk_by_group" for c in t.columns}
_QUARTER, _DIMENSION, _LEVEL, _N, _AT_RISK, _LOW, _HIGH = (
    _SHARED[name] for name in ("quarter", "dimension", "level", "n", "at_risk", "ci_low", "ci_high")
)
_TARGET = Column("target", "TEXT", "Contract name of the score; at_risk: any score too low.")

PREDICTION = Table(
    "prediction",
    "One row per quarter, target, model and metric, of students the model has not seen. "
    + NOT_FOR_PERSONS,
    (
        _QUARTER,
        _TARGET,
        Column("model", "TEXT", "Name of the model; baseline: the same for every student."),
        Column("metric", "TEXT", "gain, rmse, brier, auc or log_loss."),
        _N,
        Column("value", "REAL", "Value of the metric; null if undefined."),
        _LOW,
        _HIGH,
        Column("beats", "INTEGER", "1: the gain is at least the contract's minimum_gain; else 0."),
    ),
    ("quarter", "target", "model", "metric"),
)
EXPLANATION = Table(
    "explanation",
    "One row per quarter, target and dimension: what the linear model gains by it. "
    + NOT_FOR_PERSONS,
    (
        _QUARTER,
        _TARGET,
        _DIMENSION,
        Column("gain", "REAL", "Share of the baseline's error removed by the dimension alone."),
        Column("lost", "REAL", "Gain of all dimensions less that of all but this one."),
    ),
    ("quarter", "target", "dimension"),
)
CALIBRATION = Table(
    "calibration",
    "One row per quarter and bin of students by predicted chance of being at risk. "
    + NOT_FOR_PERSONS,
    (
        _QUARTER,
        Column("bin", "INTEGER", "Order of the bin, 1 the lowest chance."),
        _N,
        _AT_RISK,
        Column("predicted", "REAL", "Mean predicted chance, 0 to 1."),
        Column("observed", "REAL", "Share of students at risk, 0 to 1."),
        _LOW,
        _HIGH,
    ),
    ("quarter", "bin"),
)
FAIRNESS = Table(
    "fairness",
    "One row per quarter and group: whom flagging by predicted chance would reach. "
    + NOT_FOR_PERSONS,
    (
        _QUARTER,
        _DIMENSION,
        _LEVEL,
        _N,
        _AT_RISK,
        Column("flagged", "REAL", "Share of students flagged, 0 to 1."),
        Column("missed", "REAL", "Share of those at risk not flagged; null if nobody is at risk."),
        Column("false_alarms", "REAL", "Share of the others flagged; null if there are none."),
    ),
    ("quarter", "dimension", "level"),
)
FAIRNESS_GAP = Table(
    "fairness_gap",
    "One row per quarter, dimension and rate: the highest of its groups less the lowest. "
    + NOT_FOR_PERSONS,
    (
        _QUARTER,
        _DIMENSION,
        Column("metric", "TEXT", "flagged (demographic parity), missed, false_alarms."),
        Column("difference", "REAL", "Difference, 0 to 1, of groups that may be shown."),
    ),
    ("quarter", "dimension", "metric"),
)
STUDENT_PREDICTION = Table(
    "student_prediction",
    "One row per quarter, profile and target: what is predicted for each of its students, without"
    " sensitive fields. Empty unless the contract turns it on. " + NOT_FOR_PERSONS,
    (
        _QUARTER,
        Column("profile", "INTEGER", "Profile of the students, as in the records."),
        _TARGET,
        Column("predicted", "REAL", "Predicted score, in its unit."),
    ),
    ("quarter", "profile", "target"),
    (("profile", "profile", "id"),),
)
PREDICTED = (
    PREDICTION,
    EXPLANATION,
    CALIBRATION,
    FAIRNESS,
    FAIRNESS_GAP,
    STUDENT_PREDICTION,
)
