"""Views of the warehouse that is on a server."""

from psycopg import errors

from exams.schema import quoted
from exams.warehouse.postgresql.opening import Session
from exams.warehouse.postgresql.places import BESIDE


def show(session: Session, view: str, query: str | None) -> None:
    """Make a view show what `query` selects; None: there is to be no such view.

    One that does already is left alone: to replace it, those who read would have to wait. What
    others have built on it, and their rights, stay if it has the same columns.
    """
    if query is None:
        session.execute(f"DROP VIEW IF EXISTS {quoted(view)} CASCADE")
    elif not (shows(session, view, query) or _replaced(session, view, query)):
        session.execute(f"DROP VIEW {quoted(view)} CASCADE")
        session.execute(f"CREATE VIEW {quoted(view)} AS\n{query}")


def shows(session: Session, view: str, query: str) -> bool:
    """Say whether there is a view that shows what `query` selects."""
    beside = quoted(view + BESIDE)
    session.execute(f"CREATE VIEW {beside} AS\n{query}")
    found = session.execute(
        "SELECT pg_get_viewdef(to_regclass(?)) = pg_get_viewdef(to_regclass(?))",
        [beside, quoted(view)],
    ).fetchone()
    session.execute(f"DROP VIEW {beside}")
    return bool(found and found[0])


def _replaced(session: Session, view: str, query: str) -> bool:
    """Say whether the server lets a view be replaced by one of these columns; then it is."""
    session.execute("SAVEPOINT replacing")
    try:
        session.execute(f"CREATE OR REPLACE VIEW {quoted(view)} AS\n{query}")
    except errors.InvalidTableDefinition:
        session.execute("ROLLBACK TO SAVEPOINT replacing")
        return False
    session.execute("RELEASE SAVEPOINT replacing")
    return True
