"""Temporary files of a build, of which nothing stays, even if it is killed."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from exams.files import sweep
from exams.places import Places

_current: list[Path] = []


@contextmanager
def temporary(places: Places, quarter: str) -> Iterator[Path]:
    """Let this process and its kernels put temporary files into the folder that is yielded.

    Ploomber and papermill make some. The folder's name tells whose build it is: the caller
    holds the quarter's lock, so that such folders are of builds that were killed, and go.
    Within another one, that one is yielded.
    """
    if _current:
        yield _current[0]
        return
    owner = hashlib.sha256(f"{places.data} {quarter}".encode()).hexdigest()[:8]
    prefix = f"exams-{owner}-"
    for former in Path(gettempdir()).glob(f"{prefix}*"):
        shutil.rmtree(former, ignore_errors=True)
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    with TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        _current.append(Path(name))
        tempfile.tempdir = os.environ["TMPDIR"] = name
        try:
            yield _current[0]
        finally:
            _current.clear()
            tempfile.tempdir = before[0]
            os.environ.pop("TMPDIR")
            if before[1] is not None:
                os.environ["TMPDIR"] = before[1]


def sweep_drafts(places: Places, quarter: str) -> None:
    """Remove drafts of files that killed processes left where a build of `quarter` writes."""
    reports = places.reports / quarter
    corrections = places.private / "corrections" / quarter
    beside = [file.parent for file in (places.ledger, places.published, places.status)]
    charts, delivery = reports / "charts", places.delivery(quarter)
    site = (places.site, places.site / "data", places.site / "data" / "tables")
    for folder in (places.reports, reports, charts, *site, delivery, corrections, *beside):
        sweep(folder)
