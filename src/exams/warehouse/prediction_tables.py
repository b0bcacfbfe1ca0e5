"""Tables of the model stage beside its figures: breaks, and predictions for students."""

from exams.columns import QUARTER
from exams.schema import Column, Table
from exams.tables_models import BREAK, NOT_FOR_PERSONS, TARGET

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
PREDICTED = (BREAK, STUDENT_PREDICTION)
