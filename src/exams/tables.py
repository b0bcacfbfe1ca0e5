"""The published tables, as they are defined for the warehouse's figures and for published.db."""

from exams.columns import DIMENSION as _DIMENSION
from exams.columns import HIGH as _HIGH
from exams.columns import LEVEL as _LEVEL
from exams.columns import LOW as _LOW
from exams.columns import MEAN as _MEAN
from exams.columns import QUARTER as _QUARTER
from exams.columns import SCORE as _SCORE
from exams.columns import SD as _SD
from exams.columns import SHARE as _SHARE
from exams.columns import SUPPRESSED as _SUPPRESSED
from exams.columns import TAKERS as _TAKERS
from exams.columns import N as _N
from exams.schema import Column, Table
from exams.tables_models import MODELS
from exams.tables_to_date import TO_DATE

CATALOG = Table(
    "catalog",
    "One row per published table: what it holds.",
    (
        Column("name", "TEXT", "Name of the table."),
        Column("title", "TEXT", "Name for people."),
        Column("description", "TEXT", "What a row is."),
        Column("dimensions", "TEXT", "Columns that name a row, a JSON list."),
        Column("measures", "TEXT", "Columns that say something of it, a JSON list."),
        Column("rows", "INTEGER", "Rows of all quarters.", "rows"),
        Column("hidden", "INTEGER", "Of these, hidden to protect students.", "rows"),
        Column("sources", "TEXT", "What it is made of, a JSON list."),
        Column("first_quarter", "TEXT", "First quarter in it; null if it is empty."),
        Column("last_quarter", "TEXT", "Last quarter in it; null if it is empty."),
    ),
    ("name",),
)
TABLES: tuple[Table, ...] = (
    Table(
        "publication",
        "One row per published quarter: when, and under which contract.",
        (
            _QUARTER,
            Column("version", "INTEGER", "1 for the first publication; +1 when figures change."),
            Column("published_at", "TEXT", "Time of this version, ISO 8601 in UTC."),
            Column("contract", "TEXT", "Title of the contract."),
            Column("contract_version", "TEXT", "Version of the contract."),
            Column("fingerprint", "TEXT", "SHA-256 of the published rows of the quarter."),
            Column("refused", "INTEGER", "Files refused: if any, the quarter is incomplete."),
            Column("held", "INTEGER", "1: a correction of a few records waits; 0: none does."),
        ),
        ("quarter",),
    ),
    Table(
        "field",
        "One row per quarter and field of its contract, with the words that charts use.",
        (
            _QUARTER,
            Column("position", "INTEGER", "Place in the contract, from 0."),
            Column("name", "TEXT", "Contract name of the field."),
            Column("title", "TEXT", "Title for people."),
            Column("role", "TEXT", "dimension, score, or overall (the mean of the scores)."),
            Column("unit", "TEXT", "Unit of a score; empty for a dimension."),
            Column("minimum", "REAL", "Lowest score possible; null for a dimension."),
            Column("maximum", "REAL", "Highest score possible; null for a dimension."),
            Column("description", "TEXT", "Meaning."),
        ),
        ("quarter", "name"),
    ),
    Table(
        "delivery",
        "One row per quarter and delivered file: the reconciliation.",
        (
            _QUARTER,
            Column("file", "TEXT", "Name of the file."),
            Column("sha256", "TEXT", "SHA-256 of the file's bytes; null for very few records."),
            Column("received", "INTEGER", "Records in the file.", "records"),
            Column("loaded", "INTEGER", "Records in the warehouse.", "records"),
            Column("quarantined", "INTEGER", "Records in quarantine.", "records"),
            Column("resolved", "INTEGER", "Records delivered again, corrected.", "records"),
        ),
        ("quarter", "file"),
    ),
    Table(
        "quarantine_count",
        "One row per quarter, file, column and reason for quarantine.",
        (
            _QUARTER,
            Column("file", "TEXT", "Name of the file."),
            Column("column", "TEXT", "Contract name of the column; * for the whole record."),
            Column("reason", "TEXT", "Reason code."),
            Column("records", "INTEGER", "Records; one with two reasons counts twice.", "records"),
            Column("meaning", "TEXT", "The reason in words."),
        ),
        ("quarter", "file", "column", "reason"),
    ),
    Table(
        "repair_count",
        "One row per quarter, file, column and repair that loaded records took.",
        (
            _QUARTER,
            Column("file", "TEXT", "Name of the file."),
            Column("column", "TEXT", "Contract name of the column."),
            Column("repair", "TEXT", "Repair code."),
            Column("records", "INTEGER", "Loaded records with this repair.", "records"),
            Column("meaning", "TEXT", "The repair in words."),
        ),
        ("quarter", "file", "column", "repair"),
    ),
    Table(
        "schema_change",
        "One row per quarter and change of fields, columns or scales since the quarter before.",
        (
            _QUARTER,
            Column("place", "INTEGER", "Order of the changes, from 0."),
            Column("former", "TEXT", "The quarter before, with which it was compared."),
            Column("subject", "TEXT", "Contract name of a field, or a header's word."),
            Column("change", "TEXT", "Code of the change."),
            Column("detail", "TEXT", "What has changed here; never a rejected value."),
            Column("meaning", "TEXT", "The kind of change in words."),
        ),
        ("quarter", "place"),
    ),
    Table(
        "mean_by_group",
        "One row per quarter, group of students and score: mean and spread.",
        (
            _QUARTER,
            _DIMENSION,
            _LEVEL,
            _SCORE,
            _TAKERS,
            _MEAN,
            _SD,
            _LOW,
            _HIGH,
            _SUPPRESSED,
        ),
        ("quarter", "dimension", "level", "score"),
    ),
    Table(
        "mean_by_crossing",
        "One row per quarter, group by two dimensions, and score: mean and spread.",
        (
            _QUARTER,
            _DIMENSION,
            Column("level", "TEXT", "Level of the dimension, merged where the contract says so."),
            Column("dimension_2", "TEXT", "Contract name of the other dimension."),
            Column("level_2", "TEXT", "Level of the other dimension, likewise."),
            _SCORE,
            _TAKERS,
            _MEAN,
            _SD,
            _LOW,
            _HIGH,
            _SUPPRESSED,
        ),
        ("quarter", "dimension", "level", "dimension_2", "level_2", "score"),
    ),
    Table(
        "at_risk_by_group",
        "One row per quarter and group: students with a score below its at-risk threshold.",
        (
            _QUARTER,
            _DIMENSION,
            _LEVEL,
            _N,
            Column("at_risk", "INTEGER", "Students at risk.", "students"),
            _SHARE,
            _LOW,
            _HIGH,
            _SUPPRESSED,
        ),
        ("quarter", "dimension", "level"),
    ),
    Table(
        "levels",
        "One row per quarter, score and score level (band of the scale).",
        (
            _QUARTER,
            _SCORE,
            Column("code", "INTEGER", "Order of the score level, 1 the lowest."),
            Column("level", "TEXT", "Label of the score level."),
            _N,
            _SHARE,
            _LOW,
            _HIGH,
            _SUPPRESSED,
        ),
        ("quarter", "score", "code"),
    ),
    Table(
        "histogram",
        "One row per quarter, score and bin of its scale: all students, within their score levels.",
        (
            _QUARTER,
            _SCORE,
            Column("bin", "INTEGER", "Order of the bin, 1 the lowest."),
            Column("code", "INTEGER", "Score level that the bin is part of, as in levels."),
            Column("low", "REAL", "Lowest score of the bin."),
            Column("high", "REAL", "End of the bin: in it lie lower scores, in the last this one."),
            _N,
            _SHARE,
            _SUPPRESSED,
        ),
        ("quarter", "score", "bin"),
    ),
    Table(
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
            _SUPPRESSED,
        ),
        ("quarter", "dimension", "level", "score", "code"),
    ),
    Table(
        "tiers",
        "One row per quarter, score tier (cluster of students) and score.",
        (
            _QUARTER,
            Column("tier", "INTEGER", "Score tier, 1 the lowest total."),
            _SCORE,
            _N,
            _SHARE,
            Column("mean", "REAL", "Mean score of the tier's students."),
            _SUPPRESSED,
        ),
        ("quarter", "tier", "score"),
    ),
    Table(
        "gaps",
        "One row per quarter, group and score: difference of means from the largest group.",
        (
            _QUARTER,
            _DIMENSION,
            _LEVEL,
            Column("reference", "TEXT", "Largest level of the dimension, compared with."),
            _SCORE,
            Column("n", "INTEGER", "Students of the smaller group.", "students"),
            Column("gap", "REAL", "Mean of level minus mean of reference; null if undefined."),
            _LOW,
            _HIGH,
            Column("effect", "REAL", "Hedges' g; null if undefined.", "standard deviations"),
            Column("effect_low", "REAL", "Lower end of its 95 % interval; null if undefined."),
            Column("effect_high", "REAL", "Upper end of its 95 % interval; null if undefined."),
            Column("p", "REAL", "Welch's p, Holm's correction over the quarter; null: undefined."),
            Column("mean", "REAL", "Mean score of the level; null if it has no students."),
            Column("sd", "REAL", "Standard deviation (n - 1) of the level; null if undefined."),
            Column("reference_mean", "REAL", "Mean score of the reference."),
            Column("reference_sd", "REAL", "Standard deviation (n - 1) of the reference."),
            Column("sentence", "TEXT", "The gap in plain words."),
            _SUPPRESSED,
        ),
        ("quarter", "dimension", "level", "score"),
    ),
    *MODELS,
)
REVISION = Table(
    "revision",
    "One row per quarter, version and figure that this version changed; none for the first one.",
    (
        _QUARTER,
        Column("version", "INTEGER", "Version of the publication that changed it."),
        Column("place", "INTEGER", "Order of the changes of the version, from 0."),
        Column("table", "TEXT", "Published table that holds the figure."),
        Column("cell", "TEXT", "What names the row there: a JSON object of its key."),
        Column("measure", "TEXT", "Column that holds the figure."),
        Column("former", "REAL", "Value in the version before."),
        Column("revised", "REAL", "Value in this version."),
        Column("reason", "TEXT", "Codes of the reasons, with commas between."),
        Column("meaning", "TEXT", "The reasons in words."),
    ),
    ("quarter", "version", "place"),
)
TABLES = (*TABLES, *TO_DATE, REVISION, CATALOG)
# What the stages hand over, quarter by quarter.
CONTENT = tuple(t for t in TABLES if t.name not in ("catalog", "publication"))

# What disclosure control protects, and of this what the model stage works out.
MASKED = tuple(t for t in TABLES if any(c.name == "suppressed" for c in t.columns))
FIGURES = tuple(t for t in MASKED if t not in TO_DATE)
