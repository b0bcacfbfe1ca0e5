"""Lets the static site follow a build."""

from contextlib import suppress

from exams.errors import ExamsError
from exams.places import Places
from exams.quarters import Timing
from exams.static_site import write_site


def show(places: Places, timing: Timing, quarter: str | None = None) -> None:
    """Write what has changed of the static site; `quarter` is the one whose build ends.

    Where the publication cannot be read, the stage publish makes it anew: the site waits for it.
    """
    with suppress(ExamsError):
        write_site(places, quarter, timing)
