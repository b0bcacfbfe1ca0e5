"""What `exams lineage` says: the way from a published table back to the delivered files."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from exams import lineage, published
from exams.errors import ExamsError
from exams.files import shown
from exams.places import Places
from exams.quarters import check_quarter
from exams.warehouse.history import Delivered, read_current
from exams.warehouse.store import exists

_PREFIX = "published."
_START = 12  # characters of a hash that tell it from others; lineage.json has all
_OWN = {"notebook": "source_sha256", "executed": "notebook_sha256", "code": "code"}
_SHARED = {"contract": "contract_sha256", "requirements.lock": "lock_sha256"}


def trail(places: Places, name: str, quarter: str) -> list[str]:
    """Return the lines of the lineage of a published table, such as published.levels.

    Raise E330 for a table that is not published, E331 for a quarter that is not, E332 if its
    lineage was not noted.
    """
    check_quarter(quarter)
    table = _table(name)
    lineage.check_published(places, quarter)
    told = lineage.lineage(places, quarter)
    stages = [entry for entry in told.get("stages", []) if entry["stage"] != "visualize"]
    if "publication" not in told or "publish" not in [entry["stage"] for entry in stages]:
        what = f"How {quarter} was made was not noted: an earlier release published it."
        again = f"`ploomber build --force --env--quarter {quarter}` makes it anew."
        raise ExamsError("E332", what, again)
    publication, rows = told["publication"], published.read(places.published, table, quarter)
    title = f"{publication['contract']}, version {publication['contract_version']}"
    lines = [
        f"{_PREFIX}{table} of {quarter}: {_rows(rows)}",
        f"version {publication['version']}, published {_moment(publication['published_at'])}",
        f"contract {title}",
        "",
        "made by",
        *_stage_lines(stages, lineage.hosts(places.status, quarter)),
        *_shared_lines(stages),
        "",
        "from",
        *_file_lines(places, quarter, told["deliveries"]),
        "",
        f"In full: {shown(lineage.path_of(places, quarter))}",
    ]
    return lines


def _table(name: str) -> str:
    names = [table.name for table in published.TABLES]
    if name.removeprefix(_PREFIX) not in names:
        listed = ", ".join(_PREFIX + known for known in names)
        raise ExamsError("E330", f"There is no published table {name}.", f"Tables: {listed}.")
    return name.removeprefix(_PREFIX)


def _rows(rows: list[dict[str, Any]]) -> str:
    hidden = sum(row.get("suppressed") or 0 for row in rows)
    return f"{len(rows):,} rows" + (f", {hidden:,} of them hidden" if hidden else "")


def _stage_lines(stages: list[dict[str, Any]], hosts: Mapping[str, str]) -> Iterator[str]:
    """Yield two lines a stage, the last one first: when and where it ran, and by what."""
    for entry in reversed(stages):
        where = f" on {hosts[entry['stage']]}" if entry["stage"] in hosts else ""
        times = f"{_moment(entry['started'])} to {_moment(entry['ended'])}"
        counts = [f"{entry[n]:,}" for n in ("rows_in", "rows_out") if entry[n] is not None]
        rows = f"; rows {' to '.join(counts)}" if counts else ""
        yield f"  {entry['stage']:<9}  {times}{where}{rows}"
        hashes = [f"{word} {_start(entry[key])}" for word, key in _OWN.items()]
        yield f"  {'':<9}  {', '.join(hashes)}"


def _shared_lines(stages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for what all stages have in common, or one for each state of it."""
    found: dict[str, list[str]] = {}
    for entry in stages:
        words = [f"{word} {_start(entry[key])}" for word, key in _SHARED.items()]
        for said in (_package(entry), *words):
            found.setdefault(said, []).append(entry["stage"])
    for said, names in sorted(found.items()):
        yield f"  {said}" + (f" ({', '.join(names)})" if len(names) < len(stages) else "")


def _package(entry: Mapping[str, Any]) -> str:
    words = f"package exams {entry['package']}"
    if entry["commit"]:
        words += f", commit {_start(entry['commit'])}"
        words += ", with changes" if entry["changed"] else ""
    return words


def _start(text: str | None) -> str:
    return text[:_START] if text else "none"


def _file_lines(places: Places, quarter: str, deliveries: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line per delivered file: the hash, and where its records are.

    The hash of a file of a few records is not published: the warehouse has it.
    """
    known = {d.file: d for d in _loaded(places, quarter)}
    width = max((len(row["file"]) for row in deliveries), default=0)
    for row in deliveries:
        own = known.get(row["file"])
        sha256 = row["sha256"] or (own.sha256 if own else "hash not published")
        fate = f"{row['received']:,} received = {row['loaded']:,} loaded"
        fate += f" + {row['quarantined']:,} quarantined"
        fate += f" + {row['resolved']:,} resolved" if row["resolved"] else ""
        yield f"  {row['file']:<{width}}  {fate}  sha256 {sha256}"


def _loaded(places: Places, quarter: str) -> list[Delivered]:
    if not exists(places.warehouse):
        return []
    return read_current(places.warehouse, quarter)


def _moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}" if text else "unknown"
