"""A folder of files that this process and the workers of a cluster can reach."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from exams.errors import ExamsError
from exams.files import closed

Found = TypeVar("Found")


@dataclass(frozen=True)
class Shelf:
    """The private folder `folder`, at the same path on every machine.

    Where machines share no folder, its files lie at `url`, too, by fsspec, and workers know them
    from there alone. Raise E438 if that refuses.
    """

    folder: Path
    url: str = ""

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """Yield, on a worker, the folder in which files of the shelf are read and written."""
        if not self.url:
            yield self.folder
            return
        from distributed import get_worker  # noqa: PLC0415  its folder is cleared after a crash

        with TemporaryDirectory(dir=get_worker().local_directory) as scratch:
            yield Path(scratch)

    def fetch(self, name: str, here: Path) -> Path:
        """Return the file `name` in the folder `here`."""
        path = here / name
        if self.url:
            with suppress(FileNotFoundError):  # whoever reads it says that it is missing
                _asked(self.url, lambda system, root: system.get_file(f"{root}/{name}", path))
        return path

    def send(self, path: Path) -> None:
        """Put a file that was written into the opened folder onto the shelf."""
        if self.url:
            self.put(path, path.name)
            path.unlink()

    def put(self, path: Path, name: str) -> None:
        """Put a file of this machine under a `name` to where workers find it."""
        if self.url:
            _asked(self.url, lambda system, root: system.put_file(str(path), f"{root}/{name}"))

    def bring(self, names: Iterable[str]) -> None:
        """Bring files of the workers into the folder."""
        for name in names if self.url else ():
            self.fetch(name, closed(self.folder / name).parent)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that workers do not find."""
        if not self.url:
            return []
        there = _asked(self.url, lambda system, root: system.find(root))
        found = {path.rpartition("/")[2] for path in there}
        return [name for name in names if name not in found]

    def clear(self) -> None:
        """Remove what lies at `url`."""
        if self.url:
            with suppress(FileNotFoundError):
                _asked(self.url, lambda system, root: system.rm(root, recursive=True))


def _asked(url: str, question: Callable[[Any, str], Found]) -> Found:
    """Return what the file system of `url` answers; its words may tell of keys, so none is kept."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415

        system, root = url_to_fs(url, use_listings_cache=False)
        return question(system, root)
    except FileNotFoundError:
        raise
    except Exception as error:
        what = f"The storage in env.yaml cannot be used: {type(error).__name__}."
        remedy = "Are its address and the rights to it right, here and on every worker?"
        raise ExamsError("E438", what, remedy) from None
