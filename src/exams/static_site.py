"""reports/site/: the dashboard's pages without a kernel, from any web server or file system.

The page is index.html, with style.css, app.js (the dashboard's own modules as one script) and
vega.js. In data/ lies what a kernel would send: common.js, now.js (how things stand), a file for
each published quarter, in tables/ one for each published table, and version.js, by which an open
page sees that one of them is new. Written after each stage, when a build ends, and by the schedule.
"""

import hashlib
import inspect
import json
import shutil
from pathlib import Path
from typing import Any

import jinja2

from exams import published, web
from exams.dashboard import now, payload, tables
from exams.files import locked, read_note, states, write_atomic
from exams.places import Places, made
from exams.quarters import Timing

_FOLDER = web.FOLDER / "site"
_CALL, _END = "exams.give(", ");\n"  # around the JSON of a file of data: see site.js
_NOTE = ".made.json"  # what the site was made of, and how it was left
_TITLE = "Exam results"
_USUAL = Timing()
_MAKERS = (now, payload, tables)


def write_site(places: Places, quarter: str | None = None, timing: Timing = _USUAL) -> None:
    """Write what has changed of the site: `quarter`, what is common to all, and how things stand.

    timing: when quarters are built by themselves, and from when on they are late.

    Another quarter is written if it is missing or was written by another release. Without a
    publication there is no site. Raise E303 if that cannot be read.
    """
    if not (places.published.is_file() or places.site.exists()):
        return
    with locked(made(places.reports) / ".site.lock"):
        if not places.published.is_file():  # asked again: another may publish now
            shutil.rmtree(places.site, ignore_errors=True)
            return
        standing = now.news(places, timing)
        source, note = _source(places, standing), made(places.site) / _NOTE
        noted, quarters = read_note(note), source["quarters"]
        if noted == source | {"site": _left(places)}:
            return
        written = _write_all(places, quarter, standing)
        # what another build has published meanwhile is not in `quarters`: written again next time
        of = noted.get("quarters", {}) | {n: quarters[n] for n in written if n in quarters}
        source["quarters"] = {name: of.get(name) for name in quarters}
        write_atomic(note, json.dumps(source | {"site": _left(places)}))


def _source(places: Places, standing: dict[str, Any] | None) -> dict[str, Any]:
    """Return texts that change with what the site is made of: of each quarter, and of the rest."""
    modules = [Path(module.__file__ or "") for module in _MAKERS]
    pages = [*_FOLDER.iterdir(), *(web.FOLDER / "voila").rglob("*.*")]
    return {
        "publications": states([places.published]),
        "standing": _stamp(standing),
        "form": states([*modules, web.vega(), *sorted(pages)]),
        "quarters": payload.stamps(places),
    }


def _stamp(standing: dict[str, Any] | None) -> str:
    """Return a text that changes with how things stand, but not with the time alone."""
    return standing["stamp"] if standing else "unknown"


def _left(places: Places) -> str:
    """Return a text that changes with any file of the site as it lies there."""
    return states(sorted(file for file in places.site.rglob("*.*") if file.name != _NOTE))


def _write_all(places: Places, quarter: str | None, standing: dict[str, Any] | None) -> list[str]:
    """Write what has changed; return the quarters whose data were written.

    Those of a quarter in the making are left to the build that makes it.
    """
    data = made(places.site / "data")
    form = _write_page(places.site)
    former = _former(data, form)
    kept = former.get("quarters", {})
    common = payload.common(places)
    versions: dict[str, str] = {}
    written: list[str] = []
    for name in common["quarters"]:
        if name == quarter or not (data / f"{name}.js").is_file():
            kept.pop(name, None)
        if name in kept:
            versions[name] = kept[name]
        elif found := _write_quarter(places, name, quarter):
            versions[name] = found
            written.append(name)
    common["quarters"] = [name for name in common["quarters"] if name in versions]
    version = {"form": form, "common": _write(data, "common", common), "quarters": versions}
    version |= _write_tables(places, former) | _write_standing(data, former, standing)
    _write(data, "version", version | {"stamp": _digest(json.dumps(version))})
    for file in data.glob("*.js"):
        if file.stem not in ("common", "now", "version", *versions):
            file.unlink()
    return written


def _write_page(folder: Path) -> str:
    """Write page, style and scripts; return a digest of what makes the data."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True)
    files = {
        "style.css": web.static("tokens.css") + web.static("dashboard.css"),
        "app.js": web.script("site.js"),
        "vega.js": web.vega().read_text(encoding="utf-8"),
    }
    versions = {name.partition(".")[0]: _digest(text) for name, text in files.items()}
    page = environment.get_template("dashboard.html.j2").render(title=_TITLE, version=versions)
    for name, text in {**files, "index.html": page}.items():
        _write_changed(folder / name, text)
    makers = [inspect.getsource(module) for module in _MAKERS]
    return _digest(files["app.js"] + "".join(makers))


def _write_standing(
    data: Path, former: dict[str, Any], standing: dict[str, Any] | None
) -> dict[str, Any]:
    """Write how things stand, unless they stand as in `former`; return its version."""
    if former.get("now") != _stamp(standing) or not (data / "now.js").is_file():
        _write(data, "now", standing)
    return {"now": _stamp(standing)}


def _write_tables(places: Places, former: dict[str, Any]) -> dict[str, Any]:
    """Write the published tables, unless they are those of `former`; return their versions."""
    folder = made(places.site / "data" / "tables")
    of = _digest(json.dumps(published.read(places.published, "publication")))
    if former.get("tables_of") == of and all(
        (folder / f"{name}.js").is_file() for name in former["tables"]
    ):
        return {"tables_of": of, "tables": former["tables"]}
    names = [entry["name"] for entry in tables.catalog(places)]
    versions = {name: _write(folder, name, tables.table(places, name)) for name in names}
    for file in folder.glob("*.js"):
        if file.stem not in versions:
            file.unlink()
    return {"tables_of": of, "tables": versions}


def _write_quarter(places: Places, quarter: str, built: str | None) -> str | None:
    """Write the data of a quarter; return its version, None if another build is writing it."""
    try:
        return _write(places.site / "data", quarter, payload.of_quarter(places, quarter))
    except (FileNotFoundError, ValueError):
        if quarter == built:
            raise
        return None  # that build will write it when it ends


def _write(folder: Path, name: str, content: dict[str, Any] | None) -> str:
    """Write a file of data; return its version."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    _write_changed(folder / f"{name}.js", f"{_CALL}{text}{_END}")
    return _digest(text)


def _write_changed(path: Path, text: str) -> None:
    if not path.is_file() or path.read_bytes() != text.encode():
        write_atomic(path, text)


def _former(data: Path, form: str) -> dict[str, Any]:
    """Return what version.js says; nothing if it is not there or of another form."""
    try:
        text = (data / "version.js").read_text(encoding="utf-8")
        found = json.loads(text.removeprefix(_CALL).removesuffix(_END))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("form") == form else {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
