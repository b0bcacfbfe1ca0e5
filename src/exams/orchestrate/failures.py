"""Says in one line what went wrong, without a student's value."""

import errno
import os
import re
from pathlib import Path
from traceback import extract_tb
from typing import Any

import exams
from exams.errors import ExamsError
from exams.files import shown
from exams.orchestrate.products import products
from exams.places import Places

# How Python, SQLite and pyarrow say it.
_FULL = (
    *map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)),
    "database or disk is full",
    "disk I/O error",
)
_CLOSED = (
    os.strerror(errno.EROFS),
    os.strerror(errno.EACCES),
    "attempt to write a readonly database",
    "unable to open database file",
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def explain(name: str, message: str, cell: int | None) -> tuple[str | None, str]:
    """Return code and text for an error raised in cell number `cell` of a notebook.

    Only an ExamsError is worded to be shown: the message of another error may quote a record.
    """
    if name == ExamsError.__name__:
        code, _, text = " ".join(message.split()).partition(" ")
        return code, text
    if refusal := _refusal(message):
        return refusal.code, f"{refusal.message} {refusal.remedy}"
    return None, f"{name} in cell [{cell}]." if cell else f"{name}."


def explain_exception(error: Any) -> tuple[str | None, str]:
    """Return code and text for what Ploomber raised about a stage.

    Of an error that is not worded to be shown, only its class and place are: its message may
    quote a record (an export error quotes what it cannot export).
    """
    while error.__cause__ is not None:
        error = error.__cause__
    if hasattr(error, "ename"):  # papermill's error about a cell
        return explain(error.ename, error.evalue, error.exec_count)
    if isinstance(error, ExamsError):
        return explain(ExamsError.__name__, str(error), None)
    what = type(error).__name__
    if refusal := _dead(what) or _refusal(str(error)):
        return refusal.code, f"{refusal.message} {refusal.remedy}"
    if isinstance(error, OSError) and error.errno:
        what += f" ({os.strerror(error.errno)})"  # not its own words, which any caller may set
    return None, f"{what}{_place(error)}."


def _refusal(message: str) -> ExamsError | None:
    """Return what the system refuses, if it is that: no word of `message` is repeated."""
    if any(words in message for words in _FULL):
        remedy = "Make room and build again: it goes on where it stopped."
        return ExamsError("E411", "The disk is full, or a limit of this account.", remedy)
    if any(words in message for words in _CLOSED):
        remedy = "Open the folders data and reports for writing, and build again."
        return ExamsError("E412", "A folder or file cannot be written.", remedy)
    return None


def _dead(name: str) -> ExamsError | None:
    if name != "DeadKernelError":
        return None
    remedy = "The system's log may say why. Build again: it goes on where it stopped."
    what = "The process of the notebook was ended from outside, perhaps for want of memory."
    return ExamsError("E420", what, remedy)


def _place(error: BaseException) -> str:
    """Return file and line where `error` was raised: in this package, if it passed there."""
    frames = extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).is_relative_to(Path(exams.__file__).parent)]
    return "".join(f" in {Path(f.filename).name} line {f.lineno}" for f in (own or frames)[-1:])


def complaint(message: str) -> str:
    """Return the gist of what Ploomber says about a notebook that cannot run."""
    message = re.sub(r"Error rendering notebook '.*?'\. | \(to fix this.*", "", message)
    lines = [re.sub(r"^:\d+:\d+: ", "", line).strip() for line in message.splitlines()]
    frame = ("An error happened when checking", "(if you want to disable", "^")
    return ": ".join(line for line in lines if line and not line.startswith(frame))


def withheld(name: str, traceback: list[str]) -> list[str]:
    """Return the places named in a notebook's traceback, without any message.

    A message may quote a record, and an executed notebook may be passed on.
    """
    where = [entry for entry in traceback if _COLOUR.sub("", entry).startswith(("Cell ", "File "))]
    return [*where, f"{name}: run this notebook by hand to see the message."]


def verdict(places: Places, quarter: str, stage: str, code: str | None, reason: str) -> list[str]:
    """Return the lines that end a failed build: what is wrong, and where to look."""
    notebook = shown(products(places, quarter, stage)[0])
    return [f"{code} {reason}" if code else reason, f"See {notebook}"]
