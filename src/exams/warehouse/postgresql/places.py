"""How tables and views take the places of others on a server, where somebody may be reading.

A transaction that sees a former state finds tables and views by their names as they are now. So
what it may see is not dropped: it makes place, without rows (to others), and is shown beside what
took its place until nobody can see its rows any more. Its name tells the transaction that has
deleted them: `result_2019Q1-761`.
"""

import time
from collections.abc import Callable, Iterable

from psycopg import errors

from exams.schema import quoted
from exams.warehouse.postgresql.catalog import names
from exams.warehouse.postgresql.opening import HELD, SCHEMA, SERVER, Session
from exams.warehouse.refusals import looked_at
from exams.warehouse.sql import FORMER, OURS, UNDOCUMENT

BESIDE = "+"  # ends the name of what is made beside the one whose place it takes
_VIEWS = "results", "labelled"  # show those of all quarters
_PATIENCE = 60.0  # seconds in which it is tried again


def settle(session: Session) -> None:
    """Put tables and views that were made beside others in their places."""
    there = names(session)
    beside = [name for name in there if name.endswith(BESIDE)]
    if beside:
        _close_views(session)
    for name in beside:
        place = name.removesuffix(BESIDE)
        _rename(session, place, _former(session, place), there[name])
        _rename(session, name, place, there[name])


def retire(session: Session, view: str, table: str) -> None:
    """Put a view and its table, the rows of which are deleted, out of their places."""
    _close_views(session)
    _rename(session, view, _former(session, view), "view")
    _rename(session, table, _former(session, table), "table")


def _close_views(session: Session) -> None:
    """Let nobody look at the views of all quarters until the transaction ends.

    Who does so comes to them before what they show. If that were taken first, each would wait for
    the other: the change would never be made while many look. The statement changes nothing, and
    locks a view alone; LOCK would lock all that it shows.
    """
    for view in _VIEWS:
        session.execute(f"ALTER VIEW IF EXISTS {view} ALTER COLUMN quarter DROP DEFAULT")


def _former(session: Session, name: str) -> str:
    found = session.execute("SELECT txid_current()").fetchone()
    return f"{name}{FORMER}{found[0] if found else 0}"


def _rename(session: Session, name: str, new: str, kind: str) -> None:
    session.execute(f"ALTER {kind} IF EXISTS {quoted(name)} RENAME TO {quoted(new)}")
    said = 'UPDATE data_dictionary SET "table" = ? WHERE "table" = ?'
    session.execute(said, [new, name])


def tidy(session: Session, show: Callable[[], None]) -> None:
    """Drop the former tables the rows of which nobody can see.

    `show` makes the views of the others. If one of them is being looked at, nobody waits: a
    later call will do it. What others have built on a former one goes with it.
    """
    gone = _unseen(session)

    def change() -> None:
        for name in gone:
            session.execute(UNDOCUMENT, [name])
        show()
        for name, kind in sorted(gone.items(), key=lambda item: item[1], reverse=True):
            session.execute(f"DROP {kind} {quoted(name)} CASCADE")  # views first

    if gone:
        _attempted(session, change)


def _unseen(session: Session) -> dict[str, str]:
    """Return the former tables and views, with their kinds, whose rows no transaction sees.

    Ages are compared, which a statement reckons from one moment: meanwhile others begin.
    """
    found = session.execute(
        "SELECT relname FROM pg_class,"
        " CAST(substring(relname FROM ?) AS bigint) AS number"
        f" WHERE relnamespace = to_regnamespace(?) AND relname IN ({OURS}) AND number IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND greatest(age(backend_xmin), age(backend_xid))"
        " >= age(CAST(CAST(number % 4294967296 AS text) AS xid)))",
        [f"{FORMER}([0-9]{{1,18}})$", SCHEMA],
    )
    there = names(session)
    return {name: there[name] for (name,) in found.fetchall()}


def at_once(session: Session, statements: Iterable[str]) -> None:
    """Change tables, and keep it whatever follows."""
    patiently(session, lambda: [session.execute(statement) for statement in statements])
    session.execute("COMMIT")
    session.execute("BEGIN")


def patiently(session: Session, change: Callable[[], object]) -> None:
    """Make a change to tables or views, for which no one may read them at that moment.

    It is tried in moments, between which others read. Raise E210 if in none of them nobody read.
    """
    end = time.monotonic() + _PATIENCE
    while not _attempted(session, change):
        if time.monotonic() > end:
            raise looked_at(SERVER)
        time.sleep(0.2)


def _attempted(session: Session, change: Callable[[], object]) -> bool:
    """Make a change, and say so; unless somebody reads what it is about: then nothing is done."""
    session.execute("SAVEPOINT change")
    session.execute(f"SET LOCAL lock_timeout = '{HELD}'")
    try:
        change()
    except errors.LockNotAvailable:
        session.execute("ROLLBACK TO SAVEPOINT change")
        session.execute("RELEASE SAVEPOINT change")  # else each attempt would lie in the last one
        return False
    session.execute("SET LOCAL lock_timeout = DEFAULT")
    session.execute("RELEASE SAVEPOINT change")
    return True
