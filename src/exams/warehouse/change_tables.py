"""Tables of the model stage that compare a quarter with the one before it."""

from exams.schema import Column, Table
from exams.tables import BREAK, FIGURES

_SHARED = {c.name: c for t in FIGURES if t.name == "mean_by_group" for c in t.columns}
_QUARTER, _DIMENSION, _LEVEL, _SCORE, _LOW, _HIGH = (
    _SHARED[name] for name in ("quarter", "dimension", "level", "score", "ci_low", "ci_high")
)

CHANGE = Table(
    "change",
    "One row per quarter, group and score: change since the loaded quarter before.",
    (
        _QUARTER,
        Column("former", "TEXT", "The quarter before, with which it was compared."),
        _DIMENSION,
        _LEVEL,
        _SCORE,
        Column("n", "INTEGER", "Students with this score.", "students"),
        Column("n_former", "INTEGER", "Students with this score in the former quarter."),
        Column("delta", "REAL", "Mean minus the former mean, in units of the score."),
        _LOW,
        _HIGH,
        Column("effect", "REAL", "Hedges' g; null if undefined.", "standard deviations"),
        Column("p", "REAL", "P value, Holm's correction over groups; null if undefined."),
        Column("ks", "REAL", "Kolmogorov-Smirnov distance of the distributions, 0 to 1."),
        Column("psi", "REAL", "Population stability index over the score levels."),
        Column("composition", "REAL", "Part of delta that other shares of groups explain."),
        Column("score_effect", "REAL", "Rest: the change at equal shares; null: untold."),
        Column("alarm", "INTEGER", "1: all students' mean changed by the contract's rule; else 0."),
    ),
    ("quarter", "dimension", "level", "score"),
)
COMPARED = (CHANGE, BREAK)
