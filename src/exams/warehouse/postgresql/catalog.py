"""What there is on the server: tables, views and their columns."""

from exams.schema import Column, quoted
from exams.warehouse.postgresql.opening import SCHEMA, Session

ROWID = Column("rowid", "INTEGER", "Order in which the rows were inserted.")
_WORDS = {"text": "TEXT", "int8": "INTEGER", "int4": "INTEGER", "float8": "REAL", "bytea": "BLOB"}


def names(session: Session) -> dict[str, str]:
    """Return what there is, by name: "table" or "view"."""
    found = session.execute(
        "SELECT relname, CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END FROM pg_class"
        " WHERE relnamespace = to_regnamespace(?) AND relkind IN ('r', 'v')"
        ' ORDER BY relname COLLATE "C"',
        [SCHEMA],
    )
    return dict(found.fetchall())


def columns(session: Session, table: str) -> dict[str, str]:
    """Return the columns that a table has, in order, and their types as of a file."""
    return every_column(session, table).get(table, {})


def every_column(session: Session, table: str | None = None) -> dict[str, dict[str, str]]:
    """Return the columns and types of every table and view (or of one), by its name.

    What others have put beside ours may have other types: those are as the server calls them.
    """
    found = session.execute(
        "SELECT c.relname, a.attname, t.typname FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE c.relnamespace = to_regnamespace(?) AND c.relkind IN ('r', 'v')"
        " AND c.relname = coalesce(?, c.relname)"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.oid, a.attnum",
        [SCHEMA, table],
    )
    every: dict[str, dict[str, str]] = {}
    for name, column, kind in found.fetchall():
        if column != ROWID.name:
            every.setdefault(name, {})[column] = _WORDS.get(kind) or kind
    return every


def order_of(session: Session, table: str) -> str:
    """Return the columns, for ORDER BY, that give the rows in the order of a file's."""
    found = session.execute(
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(?) AND attname = ?",
        [quoted(table), ROWID.name],
    )
    many = min(len(columns(session, table)), 3)
    return ROWID.name if found.fetchone() else ", ".join(map(str, range(1, many + 1)))
