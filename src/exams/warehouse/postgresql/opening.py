"""Opens the warehouse that is on a server: in the schema `exams` of its database."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors

from exams.errors import ExamsError
from exams.places import Server
from exams.warehouse.refusals import busy, missing, unreadable

SCHEMA = "exams"
LOADER, ANALYST = "exams_loader", "exams_analyst"  # roles, where an administrator has made them
_PIECE = 0.2  # seconds after which it is tried again
TURN = 0x6578616D73  # key of the lock that writers take
_MEANWHILE = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
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
        if _lacks(connection):
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
        connection.execute("BEGIN")
        yield Session(connection)
        connection.execute("COMMIT")


@contextmanager
def guarded() -> Iterator[None]:
    """Raise an ExamsError for what a server may do, without a word of a record.

    E207: its tables are not ours; E210: another writer; E213: the connection is lost; E214: its
    disk is full; E215: it does not allow that.
    """
    try:
        yield
    except psycopg.Error as error:
        if refusal := _refusal(error):
            raise refusal from error
        raise


def _refusal(error: psycopg.Error) -> ExamsError | None:
    if isinstance(error, errors.DiskFull):
        what = "The disk of the warehouse's server is full."
        return ExamsError("E214", what, "Nothing was changed. Make room there, and build again.")
    if isinstance(error, _MEANWHILE):
        return busy("The warehouse's server")
    if isinstance(error, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction):
        what = "The warehouse's server does not allow this to the user of `warehouse:`."
        return ExamsError("E215", what, "See docs/postgresql.md: who builds is a loader.")
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        return unreadable(f"The schema {SCHEMA} on the warehouse's server")
    if isinstance(error, psycopg.OperationalError):
        what = "The connection to the warehouse's server was lost."
        return ExamsError("E213", what, "Nothing was changed. Build again when it is there.")
    return None


@contextmanager
def _connected(server: Server) -> Iterator[psycopg.Connection]:
    """Yield a connection to the schema; raise E212 if the server cannot be reached."""
    options = f"-c search_path={SCHEMA} -c client_min_messages=warning"
    try:
        connection = psycopg.connect(
            server.address, connect_timeout=10, options=options, application_name="exams"
        )
    except psycopg.Error as error:
        what = f"The warehouse's server cannot be reached{_why(error)}."
        remedy = "Nothing was changed. Start it, or correct `warehouse:` in env.yaml."
        raise ExamsError("E212", what, remedy) from None  # its words tell the address
    try:
        _as_loader(connection)
        yield connection
    finally:
        with suppress(psycopg.Error):
            connection.close()


def _why(error: psycopg.Error) -> str:
    """Return why, in the few words that tell nothing of the address."""
    for words in ("password authentication failed", "does not exist", "Connection refused"):
        if words in str(error):
            return f": {words}"
    return ""


def _as_loader(connection: psycopg.Connection) -> None:
    """Act as the loader, if this user is one: what is made then belongs to all loaders.

    Not as an administrator, who counts as a member of every role.
    """
    member = (
        "SELECT 1 FROM pg_roles r JOIN pg_roles own ON own.rolname = current_user"
        " WHERE r.rolname = %s AND NOT own.rolsuper AND pg_has_role(own.oid, r.oid, 'MEMBER')"
    )
    if connection.execute(member, [LOADER]).fetchone():
        connection.execute(f"SET ROLE {LOADER}")
    connection.commit()


def _lacks(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT to_regnamespace(%s)", [SCHEMA]).fetchone()
    return not found or found[0] is None


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
    keep what they have until they are replaced.
    """
    with guarded(), _connected(server) as connection:
        connection.autocommit = True
        _take_turn(connection, wait)
        found = connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = %s", [SCHEMA]
        )
        for (table,) in found.fetchall():
            connection.execute(f"VACUUM (FULL) {table}")  # type: ignore[arg-type]
