"""What a stage is made by: its notebook, the package, the contract and the environment."""

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from exams import files
from exams.orchestrate.fingerprint import rules
from exams.orchestrate.products import products
from exams.places import Places


def origin(root: Path, places: Places, quarter: str, stage: str, code: str) -> dict[str, Any]:
    """Return a value for each name of `lineage.ORIGIN`; `code` is the stage's parameter.

    root: the project's folder, with notebooks/ and requirements.lock.
    """
    commit, changed = _commit(root)
    return {
        "source_sha256": sha256(root / "notebooks" / f"{stage}.ipynb"),
        "notebook_sha256": sha256(products(places, quarter, stage)[0]),
        "code": code,
        "package": version("exams"),
        "commit": commit,
        "changed": changed,
        "contract_sha256": rules(places, quarter)[0],
        "lock_sha256": sha256(root / "requirements.lock"),
    }


def sha256(file: Path) -> str | None:
    """Return the SHA-256 of a file, None if it is not there."""
    return files.sha256(file) if file.is_file() else None


@cache  # asked for by each stage of a build
def _commit(root: Path) -> tuple[str | None, int | None]:
    """Return the commit that is checked out, and 1 if files that git knows differ from it."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None, None
    return commit, int(bool(_git(root, "status", "--porcelain", "--untracked-files=no")))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:  # there is no git
        return None
    return done.stdout.strip() if done.returncode == 0 else None
