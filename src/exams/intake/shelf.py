"""A folder of files that this process and the workers of a cluster can reach."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exams.errors import ExamsError
from exams.files import closed
from exams.places import private


@dataclass(frozen=True)
class Shelf:
    """The private folder `folder`, at the same path on every machine.

    Where machines share no folder, its files lie at `url`, too, by fsspec, and workers know them
    from there alone. Raise E438 if that refuses, E439 if a worker does not see the folder.
    """

    folder: Path
    url: str = ""

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """Yield, on a worker, the folder in which files of the shelf are read and written."""
        if not self.url:
            if not self.folder.is_dir():
                remedy = "Share it, at the same path on every machine, or set storage in env.yaml."
                raise ExamsError("E439", "A worker does not see the data folder.", remedy)
            yield self.folder
            return
        from distributed import get_worker  # noqa: PLC0415  its folder is cleared after a crash

        with TemporaryDirectory(dir=get_worker().local_directory) as scratch:
            yield private(Path(scratch) / self.folder.name)

    def fetch(self, name: str, here: Path) -> Path:
        """Return the file `name` in the folder `here`; whoever reads it finds out if it is lost."""
        path = here / name
        self._get([name], [path])
        return path

    def bring(self, names: Iterable[str]) -> None:
        """Bring files of the workers into the folder, several at a time."""
        if self.url:
            names = list(names)
            self._get(names, [closed(self.folder / name) for name in names])

    def send(self, path: Path) -> None:
        """Put a file that was written into the opened folder onto the shelf."""
        if self.url:
            self.put(path, path.name)
            path.unlink()

    def put(self, path: Path, name: str) -> None:
        """Put a file of this machine under a `name` to where workers find it."""
        if self.url:
            _asked(self.url, lambda system, root: _put(system, root, path, name))

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that workers do not find."""
        if not self.url:
            return []
        there = _asked(self.url, _tolerant(lambda system, root: system.find(root))) or []
        found = {path.rpartition("/")[2] for path in there}
        return [name for name in names if name not in found]

    def clear(self) -> None:
        """Remove what lies at `url`."""
        if self.url:
            _asked(self.url, _tolerant(lambda system, root: system.rm(root, recursive=True)))

    def _get(self, names: list[str], paths: list[Path]) -> None:
        if self.url and names:
            here = [str(path) for path in paths]
            _asked(
                self.url,
                _tolerant(lambda system, root: system.get([f"{root}/{n}" for n in names], here)),
            )


Question = Callable[[Any, str], Any]  # of a file system, and of the path of the shelf in it


def _asked(url: str, question: Question) -> Any:
    """Return what the file system of `url` answers; its words may tell of keys, so none is kept."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415

        system, root = url_to_fs(url)
        system.invalidate_cache()  # others write there, too
        return question(system, root)
    except Exception as error:
        what = f"The storage in env.yaml cannot be used: {type(error).__name__}."
        remedy = "Are its address and the rights to it right, here and on every worker?"
        raise ExamsError("E438", what, remedy) from None


def _put(system: Any, root: str, path: Path, name: str) -> None:
    if "file" in system.protocol:  # elsewhere a folder comes with its first file
        private(Path(root))
    system.put_file(str(path), f"{root}/{name}")


def _tolerant(question: Question) -> Question:
    """Return a question whose answer is None if there is no such file or folder."""

    def asked(system: Any, root: str) -> Any:
        with suppress(FileNotFoundError):
            return question(system, root)
        return None

    return asked
