"""The project's root folder and what env.yaml says of it."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import yaml

from exams.errors import ExamsError
from exams.places import WAREHOUSE, Places
from exams.quarters import Timing

REFUSED_FILES = ("fail", "skip")
EXECUTORS = ("process", "dask")
_ADDRESS = re.compile(r"[a-z][a-z0-9+]*://\S+")
_SERVERS = ("postgresql://", "postgres://")


class Intake(NamedTuple):
    """How files are taken in.

    `largest_file`: bytes of one file, unpacked; `refused_files`: fail the build, or skip them.
    """

    largest_file: int = 4_000_000_000
    refused_files: str = "fail"


class Workers(NamedTuple):
    """Where extract and transform work: in this process, or on a cluster of dask.

    `scheduler`: its address; "" starts one on this machine. `storage`: where its workers find
    files, by fsspec; "": at the paths that they have here.
    """

    executor: str = "process"
    scheduler: str = ""
    storage: str = ""


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that holds pipeline.yaml."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "pipeline.yaml").is_file():
            return folder
    raise ExamsError(
        "E003",
        "There is no pipeline.yaml here or in a folder above.",
        "Change to the project's folder.",
    )


def settings(root: Path) -> dict[str, Any]:
    """Return env.yaml of the project at `root`; empty if there is no such file."""
    path = root / "env.yaml"
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or the 31st of June
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise ExamsError("E004", f"env.yaml{where} is not YAML.", "Correct it.") from error
    if not isinstance(content, dict):
        raise ExamsError("E004", "env.yaml is not a list of settings.", "Write `name: value`.")
    return content


def places(root: Path) -> Places:
    """Return the folders that env.yaml names, relative to `root`."""
    env = {"data": "data", "reports": "reports"} | settings(root)
    for name in ("data", "reports"):
        if not isinstance(env[name], str) or not env[name]:
            raise ExamsError("E004", f"env.yaml: {name} is no folder.", f"Write `{name}: {name}`.")
    hand_on(env)
    return Places.of(root / env["data"], root / env["reports"])


def hand_on(env: Mapping[str, Any]) -> None:
    """Let all that is started from here use the warehouse that `env` names; raise E004 if wrong.

    EXAMS_WAREHOUSE goes before what env.yaml says.
    """
    address = os.environ.get(WAREHOUSE) or env.get("warehouse") or ""
    if address and not (isinstance(address, str) and address.startswith(_SERVERS)):
        what = "The warehouse is no address of PostgreSQL."
        raise ExamsError("E004", what, "Write `warehouse: postgresql://...`, or leave it empty.")
    if address:
        os.environ[WAREHOUSE] = address


def environment(root: Path, quarter: str, places: Places) -> dict[str, Any]:
    """Return what pipeline.yaml of the project at `root` is filled in with for `quarter`."""
    folders = {"quarter": quarter, "data": str(places.data), "reports": str(places.reports)}
    env = settings(root)
    found = {**intake(env)._asdict(), **timing(env)._asdict()}  # defaults, where it has none
    found |= workers(env)._asdict()
    found |= {"retention_years": retention_years(env), "warehouse": env.get("warehouse") or ""}
    return folders | found


def intake(env: Mapping[str, Any]) -> Intake:
    """Return how the settings `env` want files to be taken in; raise E004 if they do not say."""
    found = Intake(**{name: env[name] for name in Intake._fields if name in env})
    if type(found.largest_file) is not int or found.largest_file < 1:
        what = "env.yaml: largest_file is no number of bytes."
        raise ExamsError("E004", what, "Write `largest_file: 4_000_000_000`.")
    if found.refused_files not in REFUSED_FILES:
        what = "env.yaml: refused_files is neither fail nor skip."
        raise ExamsError("E004", what, "Write `refused_files: fail`.")
    return found


def workers(env: Mapping[str, Any]) -> Workers:
    """Return where the settings `env` want work to be done; raise E004 if they do not say."""
    found = Workers(**{name: env[name] for name in Workers._fields if name in env})
    if found.executor not in EXECUTORS:
        what = "env.yaml: executor is neither process nor dask."
        raise ExamsError("E004", what, "Write `executor: process`.")
    for name in ("scheduler", "storage"):
        address = getattr(found, name)
        if not isinstance(address, str) or (address and not _ADDRESS.fullmatch(address)):
            example = {"scheduler": "tls://host:8786", "storage": "s3://bucket/exams"}[name]
            what = f"env.yaml: {name} is no address."
            raise ExamsError("E004", what, f'Write `{name}: {example}`, or `{name}: ""`.')
    return found._replace(storage=found.storage.rstrip("/"))


def retention_years(env: Mapping[str, Any]) -> int:
    """Return for how many years files are kept, 10 if `env` does not say; raise E004 if wrong."""
    years = env.get("retention_years", 10)
    if type(years) is not int or not 0 < years < 1000:
        what = "env.yaml: retention_years is no number of years."
        raise ExamsError("E004", what, "Write `retention_years: 10`.")
    return years


def timing(env: Mapping[str, Any]) -> Timing:
    """Return when the settings `env` want quarters to be built; raise E004 if they do not say."""
    found = Timing(**{name: env[name] for name in Timing._fields if name in env})
    words = found.schedule.split() if isinstance(found.schedule, str) else []
    if len(words) != 5:
        what = "env.yaml: schedule is no cron expression of five words."
        raise ExamsError("E004", what, "Write `schedule: 0 2 1 1,4,7,10 *`.")
    if any(char.isdigit() for char in words[4]):  # cron says 0 is Sunday, APScheduler Monday
        what = "env.yaml: schedule has a number as day of the week."
        raise ExamsError("E004", what, "Write it as a word, mon to sun.")
    try:
        ZoneInfo(found.time_zone)
    except (ValueError, TypeError, AttributeError, LookupError, OSError):
        what = "env.yaml: time_zone is no time zone."
        raise ExamsError("E004", what, "Write `time_zone: Europe/Berlin`.") from None
    if type(found.grace_days) is not int or found.grace_days < 0:
        what = "env.yaml: grace_days is no number of days."
        raise ExamsError("E004", what, "Write `grace_days: 30`.")
    return found
