"""What browsers get: templates, styles and scripts, in the layout in which Jupyter finds them.

`voila/` holds the dashboard, `nbconvert/` the reports; the files in the dashboard's `static`
folder that both use are tokens.css, and charts.js with what it imports.
"""

import base64
import contextlib
import gzip
import hashlib
import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exams.files import write_atomic
from exams.web.bundle import bundle

CHART = "application/vnd.vegalite.v5+json"  # an output that JupyterLab and reports draw
FOLDER = Path(__file__).parent
REPORT_TEMPLATES = FOLDER / "nbconvert" / "templates"
_STATIC = Path("voila", "templates", "exams", "static")


def static(name: str) -> str:
    """Return the text of a script or style of the dashboard, to be put into another page."""
    return (FOLDER / _STATIC / name).read_text(encoding="utf-8")


def script(name: str) -> str:
    """Return a script of the dashboard and what it imports as one, for pages without modules."""
    return bundle(FOLDER / _STATIC / name)


def vega() -> Path:
    """Return the script that draws Vega-Lite files with the network off (900 kB).

    It takes two seconds to make, so it is made once per release of vl-convert.
    """
    release = importlib.metadata.version("vl-convert-python")
    return _made(f"vega-{release}", "vega.js", _vega)


def dashboard() -> Path:
    """Return the dashboard's modules as one script, so that a browser asks once, not 20 times."""
    text = script("kernel.js")
    release = hashlib.sha256(text.encode()).hexdigest()[:12]
    return _made(f"dashboard-{release}", "dashboard.js", lambda: text)


def packed(path: Path) -> str:
    """Return a file in gzip and base64, less than half as long: the same for the same file."""
    return base64.b64encode(gzip.compress(path.read_bytes(), mtime=0)).decode()


def jupyter_path() -> str:
    """Return a value for JUPYTER_PATH with which Voila finds the dashboard and its scripts."""
    made = [str(path.parents[len(_STATIC.parts)]) for path in (vega(), dashboard())]
    known = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([str(FOLDER), *made, *filter(None, known)]))


def finite_json(text: str) -> Any:
    """Read JSON as browsers do: NaN, which Python writes for a missing number, becomes null."""
    return json.loads(text, parse_constant=lambda _: None)


def _made(release: str, name: str, make: Callable[[], str]) -> Path:
    """Return a script that is made once per release.

    It is kept in the environment or, where that is read-only, in the user's cache; where that is,
    too, in a new folder.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    homes = [Path(sys.prefix) / "share" / "exams" / release, cache / "exams" / release]
    paths = [home / _STATIC / name for home in homes]
    kept = next((path for path in paths if path.is_file()), None)
    return kept or _at_first(paths, make())


def _at_first(paths: list[Path], text: str) -> Path:
    """Write `text` to the first of `paths` that can be written, else into a new folder."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, text)
            return path
    path = Path(tempfile.mkdtemp(prefix="exams-")) / _STATIC / paths[0].name
    path.parent.mkdir(parents=True)
    write_atomic(path, text)
    return path


def _vega() -> str:
    import vl_convert  # noqa: PLC0415  (slow, and needed once)

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
