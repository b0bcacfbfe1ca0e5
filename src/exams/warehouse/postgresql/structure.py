"""Tables and views of the warehouse that is on a server.

The same as in a file, with comments; INTEGER is bigint (but see `_NARROW`), and texts are in
the order of their code points. Where rows of a file have a `rowid`, those of a server have a
column of that name.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from psycopg.sql import SQL, Composable, Identifier, Literal

from exams.errors import ExamsError
from exams.schema import DICTIONARY, Column, Table, quoted
from exams.warehouse.postgresql.catalog import ROWID, columns, every_column, names
from exams.warehouse.postgresql.opening import ANALYST, SCHEMA, Session
from exams.warehouse.postgresql.places import BESIDE, at_once, patiently, retire, settle, tidy
from exams.warehouse.postgresql.views import show, shows
from exams.warehouse.schema import AGGREGATES, WITHHELD
from exams.warehouse.sql import OURS

__all__ = ["clear", "columns", "create", "document", "drop_all", "hexadecimal", "names"]
__all__ += ["patiently", "ready", "release", "retire", "set_release", "settle", "show", "tidy"]

_KINDS = {"TEXT": 'text COLLATE "C"', "INTEGER": "bigint", "REAL": "float8", "BLOB": "bytea"}
_NARROW = "integer"  # of a numbered table, all numbers but the key: see `rows`
_LAYOUT = Table(
    "layout",
    "One row: the layout of these tables.",
    (Column("number", "INTEGER", "Number of the layout; tables of another one are made anew."),),
    ("number",),
)
NUMBERED = ("key",)  # key of tables with very many rows
_PLACES = {"quarantine": "delivery", "cube_value": "key", "cube_combination": "key"}
_LONGEST = 63  # characters of a name: what is more, the server cuts off
_NOT_ENFORCED = 180_000  # the version from which a reference need not be checked row by row


def release(session: Session) -> int:
    """Return the number of the layout that the tables have; 0 if there are none."""
    if _LAYOUT.name not in names(session):
        return 0
    found = session.execute(f"SELECT number FROM {_LAYOUT.name}").fetchone()
    return found[0] if found else 0


def set_release(session: Session, number: int) -> None:
    """Note the number of the layout that the tables have."""
    session.execute(f"DELETE FROM {_LAYOUT.name}")
    session.execute(f"INSERT INTO {_LAYOUT.name} VALUES (?)", [number])


def ready(session: Session) -> None:
    """Make the table that tells the layout."""
    if _LAYOUT.name not in names(session):
        _make(session, _LAYOUT)


def create(session: Session, tables: Iterable[Table]) -> None:
    """Create the tables and columns that are missing, and write the data dictionary anew.

    A missing column is added in a transaction of its own, before that of the caller: no one who
    reads waits for what the caller does then.
    """
    wanted = [*tables, DICTIONARY, _LAYOUT]
    there = every_column(session)
    for table in wanted:
        if table.name not in there:
            _make(session, table)
            continue
        lacking = [column for column in table.columns if column.name not in there[table.name]]
        if lacking:
            added = [f"ADD COLUMN {_column(column, table)}" for column in lacking]
            statement = f"ALTER TABLE {quoted(table.name)} {', '.join(added)}"
            at_once(session, [statement])
    document(session, wanted)
    _grant(session)


def _make(session: Session, table: Table) -> None:
    lines = [_column(column, table) for column in table.columns]
    if _is_ordered(table):
        lines.append(f"{ROWID.name} bigint GENERATED ALWAYS AS IDENTITY")
    if not _is_large(table):
        lines.append(f"PRIMARY KEY ({', '.join(map(quoted, table.key))})")
    if session.connection.info.server_version >= _NOT_ENFORCED:
        lines += [
            f"FOREIGN KEY ({quoted(own)}) REFERENCES {quoted(other)} ({quoted(key)}) NOT ENFORCED"
            for own, other, key in table.references
        ]
    session.execute(f"CREATE TABLE {quoted(table.name)} ({', '.join(lines)})")
    if place := _place(table):
        index = f"USING brin ({quoted(place)}) WITH (autosummarize = on)"
        session.execute(f"CREATE INDEX ON {quoted(table.name)} {index}")
    if table.name not in AGGREGATES:
        _keep_no_samples(session, table)


def _keep_no_samples(session: Session, table: Table) -> None:
    """Let the planner's statistics hold no values of people: they outlive what is deleted."""
    off = [
        f"ALTER COLUMN {quoted(c.name)} SET STATISTICS 0"
        for c in table.columns
        if c.type in ("TEXT", "BLOB")
    ]
    if off:
        session.execute(f"ALTER TABLE {quoted(table.name)} {', '.join(off)}")


def _column(column: Column, table: Table) -> str:
    narrow = table.key == NUMBERED and column.type == "INTEGER" and column.name not in NUMBERED
    return f"{quoted(column.name)} {_NARROW if narrow else _KINDS[column.type]}"


def _is_large(table: Table) -> bool:
    """Say whether a table has very many rows.

    To check the key of each would double the time of a load. Keys are new as they are made.
    """
    return table.key == NUMBERED or bool(_place(table))


def _place(table: Table) -> str:
    """Return the column by which rows of a large table lie together and are found; else nothing.

    The records of a quarter are read whole: an index of them would take a third of their COPY.
    """
    return table.key[0] if table.clustered else _PLACES.get(table.name, "")


def _is_ordered(table: Table) -> bool:
    """Say whether the order of insertion counts: rows have no number, and no order by their key."""
    return table.key not in (("id",), ("number",)) and not _is_large(table)


def document(session: Session, tables: Iterable[Table]) -> None:
    """Write what tables and views mean: as rows of `data_dictionary`, and as comments."""
    query = 'SELECT "table", "column", type, unit, description FROM data_dictionary'
    known = set(session.execute(query).fetchall())
    for table in tables:
        rows = [(table.name, "", "", "", table.description)]
        rows += [(table.name, c.name, c.type, c.unit, c.description) for c in table.columns]
        if new := [row for row in rows if row not in known]:
            session.executemany(
                'INSERT INTO data_dictionary ("table", "column", type, unit, description)'
                ' VALUES (?, ?, ?, ?, ?) ON CONFLICT ("table", "column") DO UPDATE SET'
                " type = excluded.type, unit = excluded.unit, description = excluded.description",
                new,
            )
            _comment(session, table)


def _comment(session: Session, table: Table) -> None:
    kind = names(session).get(table.name)
    if kind is None:
        return
    there = columns(session, table.name)
    said: list[Composable] = [
        SQL(f"COMMENT ON {kind} {{}} IS {{}}").format(
            Identifier(table.name), Literal(table.description)
        )
    ]
    extra = [ROWID] if kind == "table" and _is_ordered(table) else []
    said += [
        SQL("COMMENT ON COLUMN {} IS {}").format(
            Identifier(table.name, column.name), Literal(_meaning(column))
        )
        for column in [*table.columns, *extra]
        if column.name in there or column is ROWID
    ]
    session.connection.execute(SQL("; ").join(said))


def _meaning(column: Column) -> str:
    return f"{column.description} Unit: {column.unit}." if column.unit else column.description


def _grant(session: Session) -> None:
    """Let the analyst read aggregates, where an administrator has made this role."""
    found = session.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " JOIN pg_roles r ON r.rolname = ?"
        " WHERE c.relnamespace = to_regnamespace(?) AND c.relname = ANY(?)"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " AND NOT has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')",
        [ANALYST, SCHEMA, list(AGGREGATES)],
    )
    lacking: dict[str, list[str]] = {}
    for name, column in found.fetchall():
        if column not in WITHHELD.get(name, ()):
            lacking.setdefault(name, []).append(quoted(column))
    for name, given in lacking.items():
        of = f" ({', '.join(given)})" if name in WITHHELD else ""
        session.execute(f"GRANT SELECT{of} ON {quoted(name)} TO {ANALYST}")


def _check_names(view: Table) -> None:
    """Raise E216 if the server would cut the name of a column off."""
    if long := next((c.name for c in view.columns if len(c.name) > _LONGEST), None):
        what = f"The column {long} has a name of more than {_LONGEST} characters."
        remedy = "Give its field a shorter one in the contract: the warehouse's server needs it."
        raise ExamsError("E216", what, remedy)


def clear(session: Session, table: Table, view: Table, query: Callable[[str], str]) -> Table:
    """Return the table that is to be filled: without rows, and no one who reads waits.

    Its `view` shows what `query` selects of it. If there is another table of this name, or
    another view, both are made beside those, and take their places with `settle`. Raise E216 if
    the server cannot have the names of columns.
    """
    _check_names(view)
    there = columns(session, table.name)
    if there:
        session.execute(f"DELETE FROM {quoted(table.name)}")
        same = there == {column.name: column.type for column in table.columns}
        if same and shows(session, view.name, query(table.name)):
            return table
    beside = BESIDE if there else ""
    filled = replace(table, name=table.name + beside)
    _make(session, filled)
    session.execute(f"CREATE VIEW {quoted(view.name + beside)} AS\n{query(filled.name)}")
    return filled


def drop_all(session: Session, kept: Collection[str]) -> None:
    """Drop all tables and views but those to be `kept`, at once: see `create`.

    What others have put beside them stays: it is not in the dictionary.
    """
    there = names(session)
    if DICTIONARY.name not in there:
        return
    ours = session.execute(OURS).fetchall()
    dropped = [
        f"DROP {there[name]} IF EXISTS {quoted(name)} CASCADE"
        for (name,) in ours
        if name in there and name not in kept and name != _LAYOUT.name
    ]
    if dropped:
        at_once(session, dropped)


def hexadecimal(column: str) -> str:
    """Return the expression for bytes as text: in lower case, null for none."""
    return f"nullif(encode({column}, 'hex'), '')"
