"""Opens the warehouse that is on a server: in the schema `exams` of its database."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from exams.errors import ExamsError
from exams.places import Server
from exams.warehouse.refusals import busy, looked_at, missing, unreadable

SCHEMA = "exams"
SERVER = "The warehouse's server"
LOADER, ANALYST = "exams_loader", "exams_analyst"  # roles, where an administrator has made them
_PIECE = 0.2  # seconds after which it is tried again
HELD = "50ms"  # for so long a change of tables may keep readers waiting
TURN = 0x6578616D73  # key of the lock that writers take
_MEANWHILE = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
_LOST = ("08", "57P")  # begin the codes of a connection that has ended
_OURS = "42"  # begins those of wrong SQL: a defect, which keeps its traceback
# Of a connection, where the address has no such wish: who is away is given up in a minute.
_WISHES: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "exams",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_SETTINGS = {  # whatever the server has for others
    "search_path": SCHEMA,
    "client_min_messages": "warning",
    "statement_timeout": "0",  # a load takes as long as it takes,
    "idle_in_transaction_session_timeout": "0",  # and waits for what is still being read
    "lock_timeout": "0",
    "extra_float_digits": "1",  # a number is told to its last bit
    "standard_conforming_strings": "on",  # no character of a label escapes another
}
_SINCE_17 = {"transaction_timeout": "0"}
_PLACE = re.compile(r"""("[^"]*"|'[^']*')|(\?)|(%)""")


class Session:
    """A connection that takes SQL as SQLite does: `?` stands for a value."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def execute(self, query: str, values: Sequence[Any] = ()) -> psycopg.Cursor:
        """Execute a statement with values for its `?`; return its cursor."""
        if not values:  # then nothing in it stands for a value: it may hold labels
            return self.connection.execute(query)  # type: ignore[arg-type]
        return self.connection.execute(_translated(query), list(values))

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement once per row of values."""
        with self.connection.cursor() as cursor:
            cursor.executemany(_translated(query), rows)


@lru_cache(maxsize=512)
def _translated(query: str) -> Any:
    return _PLACE.sub(lambda m: m[0].replace("%", "%%") if m[1] else "%s" if m[2] else "%%", query)


@contextmanager
def reading(server: Server, wait: float) -> Iterator[Session]:
    """Yield a session that sees one state of the warehouse, and changes nothing.

    No writer is ever waited for. Raise E203 if there is no warehouse, else as `guarded`.
    """
    with guarded(), _connected(server) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        found = connection.execute("SELECT to_regclass('layout')").fetchone()
        if not found or found[0] is None:
            raise missing()
        yield Session(connection)


@contextmanager
def changing(server: Server, wait: float) -> Iterator[Session]:
    """Yield a session in a transaction: committed at the end, undone by an error.

    Those who write take turns; who reads is never kept waiting. Raise as `guarded`.
    """
    with guarded(), _connected(server) as connection:
        connection.autocommit = True  # so that BEGIN and COMMIT are where they are written
        _take_turn(connection, wait)
        _prepare_schema(connection)
        connection.execute("BEGIN")
        yield Session(connection)
        connection.execute("COMMIT")


@contextmanager
def guarded() -> Iterator[None]:
    """Raise an ExamsError for what a server may do, without a word of a record.

    E207: its tables are not ours; E210: another writer; E213: the connection is lost; E214: its
    disk is full; E215: it does not allow that; E220: it cannot do it.
    """
    try:
        yield
    except psycopg.Error as error:
        if refusal := _refusal(error):
            raise refusal from None  # its words may quote the row on which COPY stopped
        raise


def _refusal(error: psycopg.Error) -> ExamsError | None:
    if isinstance(error, errors.DiskFull):
        what = "The disk of the warehouse's server is full."
        return ExamsError("E214", what, "Nothing was changed. Make room there, and build again.")
    if isinstance(error, _MEANWHILE):
        return busy(SERVER)
    if isinstance(error, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction):
        what = "The warehouse's server does not allow this to the user of `warehouse:`."
        return ExamsError("E215", what, "See docs/postgresql.md: who builds is a loader.")
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        return unreadable(f"The schema {SCHEMA} on the warehouse's server")
    return _end(error)


def _end(error: psycopg.Error) -> ExamsError | None:
    """Return why the work could not go on; None if the mistake is ours."""
    code = error.sqlstate or ""
    if code.startswith(_LOST) or (not code and isinstance(error, psycopg.OperationalError)):
        what = "The connection to the warehouse's server was lost."
        return ExamsError("E213", what, "Nothing was changed. Build again when it is there.")
    if code.startswith(_OURS):
        return None
    what = f"The warehouse's server stopped ({type(error).__name__} {code}".rstrip() + ")."
    return ExamsError("E220", what, "Nothing was changed. The log of the server says why.")


@contextmanager
def _connected(server: Server) -> Iterator[psycopg.Connection]:
    """Yield a connection to the schema; raise E212 if the server cannot be reached, else E219."""
    try:
        wishes = _WISHES | conninfo_to_dict(server.address)
        connection = psycopg.connect(make_conninfo(**wishes), client_encoding="UTF8")
    except psycopg.Error as error:
        what = f"The warehouse's server cannot be reached{_why(error)}."
        remedy = "Nothing was changed. Start it, or correct `warehouse:` in env.yaml."
        raise ExamsError("E212", what, remedy) from None  # its words tell the address
    try:
        _set(connection)
        _as_loader(connection)
        yield connection
    finally:
        with suppress(psycopg.Error):
            connection.close()


def _set(connection: psycopg.Connection) -> None:
    """Make the settings of the session ours; raise E219 if its database has not every character.

    A statement does it, not options of the connection: poolers take none.
    """
    if connection.info.parameter_status("server_encoding") != "UTF8":
        what = "The database of the warehouse's server is not in UTF-8."
        raise ExamsError("E219", what, "Make one: `createdb --encoding UTF8 --template template0`.")
    new = connection.info.server_version >= 170_000
    settings = _SETTINGS | (_SINCE_17 if new else {})
    calls = ", ".join(["set_config(%s, %s, false)"] * len(settings))
    connection.execute(f"SELECT {calls}", [word for pair in settings.items() for word in pair])


def _why(error: psycopg.Error) -> str:
    """Return why, in the few words that tell nothing of the address."""
    for words in ("password authentication failed", "does not exist", "Connection refused"):
        if words in str(error):
            return f": {words}"
    return ""


def _as_loader(connection: psycopg.Connection) -> None:
    """Act as the loader, if this user is one: what is made then belongs to all loaders.

    An administrator is one, too, where loaders have been given the schema.
    """
    member = (
        "SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'MEMBER')"
        " AND has_schema_privilege(oid, to_regnamespace(%s), 'CREATE')"
    )
    if connection.execute(member, [LOADER, SCHEMA]).fetchone():
        connection.execute(f"SET ROLE {LOADER}")
    connection.commit()


def _prepare_schema(connection: psycopg.Connection) -> None:
    """Make the schema, if there is none; raise E221 if it is somebody else's: all is left there."""
    found = connection.execute("SELECT to_regnamespace(%s)", [SCHEMA]).fetchone()
    if not found or found[0] is None:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        return
    others = (
        "SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(%s)"
        " HAVING count(*) > 0 AND NOT coalesce(bool_or(relname = 'layout'), false)"
    )
    if connection.execute(others, [SCHEMA]).fetchone():
        what = f"The schema {SCHEMA} on the warehouse's server is somebody else's."
        remedy = "Nothing was changed. Give the warehouse a database of its own."
        raise ExamsError("E221", what, remedy)


def _take_turn(connection: psycopg.Connection, wait: float) -> None:
    """Wait, in pieces, until no one else writes; the turn ends with the connection."""
    end = time.monotonic() + wait
    while True:
        found = connection.execute("SELECT pg_try_advisory_lock(%s)", [TURN]).fetchone()
        if found and found[0]:
            return
        if time.monotonic() > end:
            raise errors.LockNotAvailable
        time.sleep(_PIECE)


def is_busy(server: Server) -> bool:
    """Say that no writer keeps readers out: on a server none does."""
    return False


def scrub(server: Server, wait: float) -> None:
    """Rewrite the tables, so that nothing of what was deleted is left in them.

    Who reads a table waits until it is written. The server's log of changes (WAL) and its backups
    keep what they have until they are replaced. Raise E222 if somebody may see the former state
    for longer than `wait`, E210 if a table is looked at for so long.
    """
    with guarded(), _connected(server) as connection:
        connection.autocommit = True
        end = time.monotonic() + wait
        _take_turn(connection, wait)
        _wait_for_the_past(connection, end)
        connection.execute(f"SET lock_timeout = '{HELD}'")
        found = connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = %s", [SCHEMA]
        )
        for (table,) in found.fetchall():
            _rewrite(connection, table, end)


def _wait_for_the_past(connection: psycopg.Connection, end: float) -> None:
    """Wait until no transaction is left that began before now: for it, rows would be kept."""
    found = connection.execute("SELECT txid_current() % 4294967296").fetchone()
    older = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
        " AND greatest(age(backend_xmin), age(backend_xid)) > age(CAST(%s AS xid))"
    )
    while connection.execute(older, [str(found[0] if found else 0)]).fetchone():
        if time.monotonic() > end:
            what = "Somebody has been reading in the warehouse's database for long."
            remedy = "What is deleted is left in its files until then: do this again after that."
            raise ExamsError("E222", what, remedy)
        time.sleep(_PIECE)


def _rewrite(connection: psycopg.Connection, table: str, end: float) -> None:
    """Rewrite a table in a moment when nobody looks at it."""
    while True:
        try:
            connection.execute(f"VACUUM (FULL) {table}")  # type: ignore[arg-type]
        except errors.LockNotAvailable:
            if time.monotonic() > end:
                raise looked_at(SERVER) from None
            time.sleep(_PIECE)
        else:
            return
