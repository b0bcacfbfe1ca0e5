"""Tables of the cube by fold: what models are cross-validated from."""

from exams.columns import TAKERS
from exams.schema import Column, Table
from exams.warehouse.deliveries import QUARTER

_KEY = (
    QUARTER,
    Column("profile", "INTEGER", "Profile (combination of levels) of the students."),
    Column("fold", "INTEGER", "Fold, 0 to 4: a hash of delivery and line of the record."),
)
_OF_PROFILE = (("profile", "profile", "id"),)

CUBE_FOLD = Table(
    "cube_fold",
    "One row per quarter, profile and fold: how many students, how many of them at risk.",
    (
        *_KEY,
        Column("n", "INTEGER", "Students counted.", "students"),
        Column("at_risk", "INTEGER", "Of these, with a score below its threshold.", "students"),
    ),
    ("quarter", "profile", "fold"),
    _OF_PROFILE,
)
CUBE_FOLD_SCORE = Table(
    "cube_fold_score",
    "One row per quarter, profile, fold and reported score: count and sums of its students.",
    (
        *_KEY,
        Column("score", "TEXT", "Contract name of the score, or of the overall score."),
        TAKERS,
        Column("total", "INTEGER", "Sum of the score, in steps above the lowest."),
        Column("squares", "INTEGER", "Sum of the squares of these steps."),
    ),
    ("quarter", "profile", "fold", "score"),
    _OF_PROFILE,
    clustered=True,
)
BY_FOLD = (CUBE_FOLD, CUBE_FOLD_SCORE)
