"""Start Voila on the dashboard's notebook; its settings are in etc/jupyter/voila.py."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from exams import project, web
from exams.listening import address, check_free, path_below, token
from exams.places import Places


def serve(
    data: Path,
    reports: Path,
    host: str,
    port: int,
    base_url: str = "/",
    names: Sequence[str] = (),
) -> NoReturn:
    """Print the address and become Voila, which shows what lies in `data` and `reports`.

    base_url: path below which the page lies; names: of hosts, by which a proxy that asks for a
    login passes requests on. Where JUPYTER_TOKEN is set, the page asks for that token; beyond this
    machine it always asks for one, made anew if need be. Raises E304 if the port is taken.
    """
    places = Places.of(data, reports)
    root = project.find_root(Path.cwd())
    notebook = root / "notebooks" / "dashboard.ipynb"
    check_free(host, port)
    environment = os.environ | {
        "EXAMS_DATA": str(places.data),
        "EXAMS_REPORTS": str(places.reports),
        "EXAMS_TIMING": json.dumps(project.timing(project.settings(root))._asdict()),
        "JUPYTER_PATH": web.jupyter_path(),
        "JUPYTER_TOKEN": token(host, "JUPYTER_TOKEN"),
        "EXAMS_HOST_NAMES": " ".join(names),
    }
    path = path_below(base_url)
    command = [sys.executable, "-m", "exams.dashboard.server", str(notebook), f"--Voila.ip={host}"]
    command += [f"--Voila.port={port}", "--Voila.log_level=ERROR"]
    command += [f"--Voila.base_url={path}"]
    shown = address(host, port, path, environment["JUPYTER_TOKEN"])
    print(f"Dashboard: {shown}  (Ctrl-C stops it)")
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)
