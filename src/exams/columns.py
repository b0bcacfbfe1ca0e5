"""Columns that several tables have, each with its meaning."""

from exams.schema import Column

QUARTER = Column("quarter", "TEXT", "Quarter of the exams, such as 2019Q1.")
DIMENSION = Column("dimension", "TEXT", "Contract name of a dimension; all: every student.")
LEVEL = Column("level", "TEXT", "Level of the dimension; not stated: no value; all: every one.")
SCORE = Column("score", "TEXT", "Contract name of a score, or of the overall score.")
N = Column("n", "INTEGER", "Students counted.", "students")
TAKERS = Column("n", "INTEGER", "Students with this score.", "students")
MEAN = Column("mean", "REAL", "Mean score; null if n = 0.")
SD = Column("sd", "REAL", "Standard deviation (n - 1); null if n < 2.")
LOW = Column("ci_low", "REAL", "Lower end of the 95 % interval; null if undefined.")
HIGH = Column("ci_high", "REAL", "Upper end of the 95 % interval; null if undefined.")
SUPPRESSED = Column(
    "suppressed", "INTEGER", "1: hidden to protect students, its values are null; 0: shown."
)
SHARE = Column("share", "REAL", "Share of students, 0 to 1; null for no students.")
