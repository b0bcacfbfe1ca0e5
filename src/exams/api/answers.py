"""What the API answers where something is wrong with an address: JSON, and nothing in the log.

The functions are hooks of Datasette, whose own print every local variable and make a web page.
"""

import sqlite3

from datasette import Response, hookimpl
from datasette.utils.asgi import Base400
from datasette.views.base import DatasetteError

# What Datasette raises for too few parts of a key, or for a filter that is no value.
_WRONG = (ValueError, KeyError, sqlite3.ProgrammingError)


@hookimpl
def handle_exception(exception: Exception) -> Response:
    """Answer a question that could not be asked, or took too long."""
    if isinstance(exception, Base400):
        return refusal(exception.status, str(exception))
    if isinstance(exception, DatasetteError) and exception.title == "SQL Interrupted":
        return refusal(400, "This takes too long.")
    if isinstance(exception, DatasetteError):  # 500 is only what it says where nothing is said
        return refusal(400 if exception.status == 500 else exception.status, exception.message)
    if isinstance(exception, _WRONG):
        return refusal(400, "A value of the address is not what it should be.")
    return refusal(500, f"This could not be answered ({type(exception).__name__}).")


@hookimpl
def forbidden(message: str) -> Response:
    """Answer a question that may not be asked."""
    return refusal(403, "This is not allowed: no SQL is taken.")


def refusal(status: int, error: str) -> Response:
    """Return an answer that holds no figure."""
    return Response.json({"ok": False, "error": error, "status": status}, status=status)
