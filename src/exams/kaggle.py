"""Files of Kaggle's data sets, by way of the package kagglehub, which is an extra."""

from importlib import import_module
from pathlib import Path

from exams.errors import ExamsError

_ASK = "Check the address in a browser, and the network; private data need a key of kaggle.com."


def download_from_kaggle(url: str, folder: Path) -> Path:
    """Download kaggle://owner/dataset[/file] into `folder`; return the file.

    Where the address names no file, the data set must hold one CSV file, or one file at all.
    Raise E028 if Kaggle cannot be asked or does not give it, E029 if no one file is named.
    """
    owner, dataset, file = [*url.removeprefix("kaggle://").split("/", 2), "", ""][:3]
    if not owner or not dataset:
        what = "The address does not name a data set."
        raise ExamsError("E029", what, "Write kaggle://owner/dataset or .../dataset/file.csv.")
    try:
        kagglehub = import_module("kagglehub")  # an extra
    except ImportError as error:
        what = "Kaggle needs the package kagglehub."
        remedy = "Install it: `.venv/bin/python -m pip install -e '.[kaggle]'`."
        raise ExamsError("E028", what, remedy) from error
    handle = f"{owner}/{dataset}"
    try:  # into the folder, not kagglehub's cache, where records would stay
        found = kagglehub.dataset_download(handle, file or None, output_dir=str(folder))
    except Exception as error:  # kagglehub's errors have no class in common
        raise ExamsError("E028", f"Kaggle does not give {handle}{_status(error)}.", _ASK) from error
    return _chosen(Path(found), handle)


def _status(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f" (HTTP {status})" if status else f" ({type(error).__name__})"


def _chosen(found: Path, dataset: str) -> Path:
    """Return the one file at or below `found`, the one CSV file if there are several."""
    if found.is_file():
        return found
    files = sorted(f for f in found.rglob("*") if f.is_file() and not f.name.startswith("."))
    tables = [f for f in files if f.suffix.lower() == ".csv"] or files
    if len(tables) != 1:
        names = ", ".join(f.relative_to(found).as_posix() for f in tables)
        what = f"{dataset} holds several files: {names}." if names else f"{dataset} is empty."
        raise ExamsError("E029", what, f"Name one: kaggle://{dataset}/file.csv.")
    return tables[0]
