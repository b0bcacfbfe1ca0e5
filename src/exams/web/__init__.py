"""What browsers get: templates, styles and scripts, in the layout in which Jupyter finds them.

`voila/` holds the dashboard, `nbconvert/` the reports; the files in the dashboard's `static`
folder that both use are tokens.css, and charts.js with what it imports.
"""

import contextlib
import importlib.metadata
import json
import os
import sys
import tempfile
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

    It takes two seconds to make, so it is made once per release of vl-convert and kept in the
    environment or, where that is read-only, in the user's cache.
    """
    release = f"vega-{importlib.metadata.version('vl-convert-python')}"
    homes = [Path(sys.prefix) / "share" / "exams" / release, _user_cache() / "exams" / release]
    paths = [home / _STATIC / "vega.js" for home in homes]
    kept = next((path for path in paths if path.is_file()), None)
    return kept or _made_at_first(paths)


def jupyter_path() -> str:
    """Return a value for JUPYTER_PATH with which Voila finds the dashboard and its scripts."""
    made = vega().parents[len(_STATIC.parts)]
    known = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([str(FOLDER), str(made), *filter(None, known)]))


def finite_json(text: str) -> Any:
    """Read JSON as browsers do: NaN, which Python writes for a missing number, becomes null."""
    return json.loads(text, parse_constant=lambda _: None)


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _made_at_first(paths: list[Path]) -> Path:
    """Make the bundle at the first of `paths` that can be written, else in a new folder."""
    import vl_convert  # noqa: PLC0415  (slow, and needed once)

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    for path in paths:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, bundle)
            return path
    path = Path(tempfile.mkdtemp(prefix="exams-")) / _STATIC / "vega.js"
    path.parent.mkdir(parents=True)
    write_atomic(path, bundle)
    return path
