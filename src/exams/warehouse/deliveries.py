"""The warehouse's tables that tell of deliveries: history, quarantine, repairs, layout."""

from exams.schema import Column, Table

QUARTER = Column("quarter", "TEXT", "Quarter of the exams, such as 2019Q1.")
LINE = Column("line", "INTEGER", "Physical line on which the record starts; the header is 1.")
_DELIVERY = Column("delivery", "INTEGER", "Number of the delivery.")
_OF_DELIVERY = (("delivery", "delivery", "id"),)

DELIVERY = Table(
    "delivery",
    "One row per delivered file, for ever. One that was removed and returns has another row.",
    (
        Column("id", "INTEGER", "Number of the delivery."),
        QUARTER,
        Column("file", "TEXT", "Name of the file."),
        Column("sha256", "TEXT", "SHA-256 of the file's bytes."),
        Column("bytes", "INTEGER", "Size of the file.", "bytes"),
        Column("received", "INTEGER", "Records in the file.", "records"),
        Column("loaded", "INTEGER", "Records loaded.", "records"),
        Column("quarantined", "INTEGER", "Records that are in quarantine.", "records"),
        Column("first_seen", "TEXT", "When it was first loaded, ISO 8601 in UTC."),
        Column("superseded_by", "INTEGER", "Delivery that replaced it; null if none did."),
        Column("removed", "TEXT", "When its records left the warehouse; null if they are in it."),
        Column("resolved", "INTEGER", "Records that were delivered again, corrected.", "records"),
        Column("read_as", "TEXT", "Format, encoding and delimiter in which it was read."),
        Column("forgotten", "TEXT", "When it was deleted on demand, ISO 8601 in UTC; else null."),
        Column("forgotten_by", "TEXT", "Who had it deleted; null if nobody had."),
        Column("office", "TEXT", "Mark of the office (of its data folder) that received it."),
    ),
    ("id",),
    (("superseded_by", "delivery", "id"),),
)
QUARANTINE = Table(
    "quarantine",
    "One row per reason why a record was not loaded; distinct (file, line) counts records.",
    (
        QUARTER,
        Column("file", "TEXT", "Name of the file."),
        LINE,
        Column("column", "TEXT", "Contract name of the field; * for the whole record."),
        Column("value", "TEXT", "The value as received. Private. Empty for a whole record."),
        Column("reason", "TEXT", "Reason code."),
        _DELIVERY,
        Column("resolved_by", "INTEGER", "Delivery that has the record again; null: none yet."),
    ),
    ("delivery", "line", "column", "reason"),
    (*_OF_DELIVERY, ("resolved_by", "delivery", "id")),
)
REPAIR = Table(
    "repair",
    "One row per delivery, field and repair that its loaded records took.",
    (
        _DELIVERY,
        Column("field", "TEXT", "Contract name of the field."),
        Column("repair", "TEXT", "Repair code."),
        Column("records", "INTEGER", "Loaded records with this repair.", "records"),
    ),
    ("delivery", "field", "repair"),
    _OF_DELIVERY,
)
HEADER = Table(
    "header",
    "One row per delivery and column of its header; none for files of corrections.",
    (
        _DELIVERY,
        Column("position", "INTEGER", "Place in the header, from 0."),
        Column("word", "TEXT", "The header's word as delivered."),
        Column("field", "TEXT", "Contract name of its field; null: none, the column is ignored."),
    ),
    ("delivery", "position"),
    _OF_DELIVERY,
)
OBSERVED = Table(
    "observed",
    "One row per delivery and field of which something was noted.",
    (
        _DELIVERY,
        Column("field", "TEXT", "Contract name of the field."),
        Column("lowest", "INTEGER", "Lowest loaded score, in steps; null for a dimension."),
        Column("highest", "INTEGER", "Highest loaded score, in steps; null for a dimension."),
        Column("unknown", "INTEGER", "Distinct values that are no level; null for a score."),
        Column("records", "INTEGER", "Records with such a value; null for a score.", "records"),
    ),
    ("delivery", "field"),
    _OF_DELIVERY,
)
LEFT_OUT = Table(
    "left_out",
    "One row per file of a loaded quarter that was not read.",
    (
        QUARTER,
        Column("file", "TEXT", "Name of the file."),
        Column("code", "TEXT", "Error code for which it was refused; empty: it is a repeat."),
        Column("why", "TEXT", "The reason, in words."),
    ),
    ("quarter", "file"),
)
CONTRACT_FIELD = Table(
    "contract_field",
    "One row per loaded quarter and field of the contract that it was loaded under.",
    (
        QUARTER,
        Column("position", "INTEGER", "Place among the fields that are loaded, from 0."),
        Column("name", "TEXT", "Contract name of the field."),
        Column("title", "TEXT", "Title for people."),
        Column("role", "TEXT", "dimension or score."),
        Column("levels", "TEXT", "Levels of a dimension, a JSON list; null for a score."),
        Column("minimum", "INTEGER", "Lowest score, in steps; null for a dimension."),
        Column("maximum", "INTEGER", "Highest score, in steps; null for a dimension."),
        Column("decimals", "INTEGER", "Decimals of a step: 1 means tenths; null for a dimension."),
    ),
    ("quarter", "name"),
)
SCORE_LEVEL = Table(
    "score_level",
    "One row per loaded quarter, reported score and score level of its contract.",
    (
        QUARTER,
        Column("score", "TEXT", "Contract name of a score, or of the overall score."),
        Column("code", "INTEGER", "Order of the score level, 1 the lowest."),
        Column("label", "TEXT", "Label of the score level."),
        Column("low", "REAL", "Lowest score of the level; it ends where the next one begins."),
    ),
    ("quarter", "score", "code"),
)
OF_DELIVERY = (QUARANTINE, REPAIR, HEADER, OBSERVED)
OF_QUARTER = (LEFT_OUT, CONTRACT_FIELD, SCORE_LEVEL)
