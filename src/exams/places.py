"""Where everything lies: the one module that knows names of files and folders."""

import hashlib
import hmac
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from exams.errors import ExamsError
from exams.files import draft_of
from exams.quarters import is_quarter


@dataclass(frozen=True)
class Server:
    """The warehouse on a PostgreSQL server.

    `address` may hold a password, and is never shown; `home` is the private folder of the office
    that uses it.
    """

    address: str = field(repr=False)
    home: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return "The warehouse's server"


Warehouse = Path | Server
WAREHOUSE = "EXAMS_WAREHOUSE"  # what builds hand on to their kernels, so no report shows it
_COPY = "COPY.txt"  # lies in the data folder of a working copy
_GIVEN = stat.S_ISGID | stat.S_IWGRP  # to a group, on purpose
STAGES = ("extract", "transform", "load", "model", "publish", "visualize")


@dataclass(frozen=True)
class Places:
    """The folders of one pipeline; `data` and `reports` as in env.yaml.

    `server`: address of the PostgreSQL server that has the warehouse; empty: it is a file.
    """

    data: Path
    reports: Path
    server: str = field(default="", repr=False)

    @classmethod
    def of(cls, data: str | Path, reports: str | Path) -> "Places":
        """Make the places from two folders, absolute from here on.

        The warehouse is where EXAMS_WAREHOUSE says; that of a working copy is always a file.
        """
        if not data or not reports:
            raise ExamsError(
                "E002",
                "This notebook's parameters are empty.",
                "Open it with `make lab`, or run `ploomber build`.",
            )
        folder = Path(data).resolve()
        server = "" if (folder / _COPY).is_file() else os.environ.get(WAREHOUSE, "")
        return cls(folder, Path(reports).resolve(), server)

    @property
    def contract(self) -> Path:
        """The present contract: the only place that knows columns."""
        return self.data / "contract.yaml"

    @property
    def contracts(self) -> Path:
        """Former versions of the contract."""
        return self.data / "contracts"

    @property
    def deliveries(self) -> Path:
        """One folder per quarter, holding the files that were received. Private."""
        return self.data / "deliveries"

    @property
    def private(self) -> Path:
        """The folder of what never leaves: parts, models, the warehouse, the key. Private."""
        return private(self.data / "private")

    @property
    def warehouse(self) -> Warehouse:
        """The private warehouse."""
        return Server(self.server, self.private) if self.server else self.private / "warehouse.db"

    @property
    def ledger(self) -> Path:
        """What was ever published, version by version. Private."""
        return self.private / "ledger.db"

    @property
    def status(self) -> Path:
        """What happened: runs of stages."""
        return made(self.data / "status") / "status.db"

    @property
    def schedule(self) -> Path:
        """When `exams schedule` ticked, and when it will."""
        return made(self.data / "status") / "schedule.json"

    @property
    def published(self) -> Path:
        """What may be seen."""
        return made(self.data / "published") / "published.db"

    @property
    def index(self) -> Path:
        """The page that lists every published quarter."""
        return self.reports / "index.html"

    @property
    def site(self) -> Path:
        """The folder of the static site: the dashboard's pages without a kernel."""
        return self.reports / "site"

    @property
    def package(self) -> Path:
        """The folder of the data package: every published table as CSV, described."""
        return self.reports / "data"

    @property
    def package_zip(self) -> Path:
        """The data package as one file, for download."""
        return self.reports / "data.zip"

    def mark_as_copy(self) -> None:
        """Mark the data folder as that of a working copy: nothing on a server is its own."""
        mark = self.data / _COPY
        mark.write_text("A working copy of results: nothing here counts.\n", encoding="utf-8")

    def delivery(self, quarter: str) -> Path:
        """Return the folder of a quarter's deliveries."""
        return self.deliveries / quarter

    def interim(self, quarter: str, stage: str) -> Path:
        """Return the private folder for the parts that `stage` hands on."""
        return _closed(self.data / "private", "interim", quarter, stage)

    def models(self, quarter: str) -> Path:
        """Return the private folder of a quarter's fitted models."""
        return _closed(self.data / "private", "models", quarter)

    def corrections(self, quarter: str) -> Path:
        """Return the private folder for records of the quarantine that are to be corrected."""
        return _closed(self.data / "private", "corrections", quarter)

    def report(self, quarter: str) -> Path:
        """Return the folder of a quarter's executed notebooks and reports."""
        return made(self.reports / quarter)

    def charts(self, quarter: str) -> Path:
        """Return the folder of a quarter's Vega-Lite files."""
        return made(self.reports / quarter / "charts")

    def delivered_quarters(self) -> list[str]:
        """Return the quarters that have a folder with at least one file, oldest first.

        A folder that cannot be looked into counts, as it may hold one. Raise E406 if that is
        so for all deliveries.
        """
        try:
            folders = [f for f in self.deliveries.iterdir() if is_quarter(f.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            what = f"{self.deliveries.name} cannot be read: {error.strerror}."
            raise ExamsError("E406", what, "Nothing was changed; open the folder.") from error
        return sorted(f.name for f in folders if _may_hold_files(f))


def _may_hold_files(folder: Path) -> bool:
    try:
        return any(visible(folder))
    except FileNotFoundError:
        return folder.is_symlink()  # to a place that is not there now
    except NotADirectoryError:
        return False
    except OSError:
        return True


def home(warehouse: Warehouse) -> Path:
    """Return the private folder that a warehouse belongs to."""
    return warehouse.parent if isinstance(warehouse, Path) else warehouse.home


def visible(folder: Path) -> list[Path]:
    """Return what lies in `folder`, sorted by name, without hidden names."""
    return sorted(f for f in folder.iterdir() if not f.name.startswith("."))


def made(folder: Path) -> Path:
    """Return `folder`, created if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def private(folder: Path) -> Path:
    """Return `folder`, created if need be, closed to other users (0700)."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def received(folder: Path) -> Path:
    """Return a folder of deliveries, created if need be, closed to other users (0700).

    A group that it was given (2770: what is made in it is the group's, too) may go on delivering.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & _GIVEN != _GIVEN:
        return private(folder)
    if mode & 0o007:
        folder.chmod(mode & ~0o007)
    return folder


def _closed(folder: Path, *names: str) -> Path:
    """Return the folder of those names, one in the other, below `folder`; all are private."""
    for name in names:
        folder = private(folder) / name
    return private(folder)


def mark_of(folder: Path) -> str:
    """Return the mark of the office whose private folder that is: it tells nothing of the key."""
    return hmac.new(private_key(folder), b"office", hashlib.sha256).hexdigest()


def private_key(folder: Path) -> bytes:
    """Return the random key that lies in the private `folder`, made if need be (0600)."""
    path = private(folder) / "key"
    if not path.is_file():
        draft = draft_of(path)
        draft.touch(mode=0o600)
        draft.write_bytes(secrets.token_bytes(32))
        with suppress(FileExistsError):  # two builds at once: the first key stays
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()
