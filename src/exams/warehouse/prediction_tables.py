"""Tables of the model stage beside its figures: breaks, and what models tell of groups."""

from exams.columns import DIMENSION, HIGH, LEVEL, LOW, QUARTER, N
from exams.schema import Column, Table
from exams.tables_models import BREAK, NOT_FOR_PERSONS, TARGET

_AT_RISK = Column("at_risk", "INTEGER", "Students at risk.", "students")

CALIBRATION = Table(
    "calibration",
    "One row per quarter and bin of students by predicted chance of being at risk. "
    + NOT_FOR_PERSONS,
    (
        QUARTER,
        Column("bin", "INTEGER", "Order of the bin, 1 the lowest chance."),
        N,
        _AT_RISK,
        Column("predicted", "REAL", "Mean predicted chance, 0 to 1."),
        Column("observed", "REAL", "Share of students at risk, 0 to 1."),
        LOW,
        HIGH,
    ),
    ("quarter", "bin"),
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
        Column("difference", "REAL", "Difference, 0 to 1, of groups that may be shown."),
    ),
    ("quarter", "dimension", "metric"),
)
STUDENT_PREDICTION = Table(
    "student_prediction",
    "One row per quarter, profile and target: what is predicted for each of its students, without"
    " sensitive fields. Empty unless the contract turns it on. " + NOT_FOR_PERSONS,
    (
        QUARTER,
        Column("profile", "INTEGER", "Profile of the students, as in the records."),
        TARGET,
        Column("predicted", "REAL", "Predicted score, in its unit."),
    ),
    ("quarter", "profile", "target"),
    (("profile", "profile", "id"),),
)
PREDICTED = (
    BREAK,
    CALIBRATION,
    FAIRNESS,
    FAIRNESS_GAP,
    STUDENT_PREDICTION,
)
