"""Copies of a warehouse that is on a server, for work on a copy. Light: needs no numpy."""

import hashlib
from pathlib import Path

from exams.places import Server
from exams.warehouse.store import LAYOUT, exists, loaded, modelled


def copy_to_file(server: Server, path: Path) -> None:
    """Put a copy in the place of the file at `path`, closed to others: all but the records.

    Nothing is done if there is no warehouse yet; raise E212 if the server is out of reach.
    """
    from exams.warehouse.postgresql.copying import copy_to_file as copy  # noqa: PLC0415

    if exists(server):
        copy(server, path)


def fingerprint(server: Server) -> str:
    """Return a fingerprint of what is loaded and modelled, and in which tables."""
    held = (LAYOUT, loaded(server), modelled(server))
    return hashlib.sha256(repr(held).encode()).hexdigest()
