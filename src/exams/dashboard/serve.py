"""Start Voila on the dashboard's notebook; its settings are in etc/jupyter/voila.py."""

import ipaddress
import json
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from exams import project, web
from exams.errors import ExamsError
from exams.places import Places

_EVERYWHERE = ("0.0.0.0", "::")  # no address that a browser could open


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
    _check_free(host, port)
    environment = os.environ | {
        "EXAMS_DATA": str(places.data),
        "EXAMS_REPORTS": str(places.reports),
        "EXAMS_TIMING": json.dumps(project.timing(project.settings(root))._asdict()),
        "JUPYTER_PATH": web.jupyter_path(),
        "JUPYTER_TOKEN": _token(host),
        "EXAMS_HOST_NAMES": " ".join(names),
    }
    path = _path(base_url)
    command = [sys.executable, "-m", "exams.dashboard.server", str(notebook), f"--Voila.ip={host}"]
    command += [f"--Voila.port={port}", "--Voila.log_level=ERROR"]
    command += [f"--Voila.base_url={path}"]
    address = _address(host, port, path, environment["JUPYTER_TOKEN"])
    print(f"Dashboard: {address}  (Ctrl-C stops it)")
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)


def _token(host: str) -> str:
    """Return the token to ask for; empty: none, because only this machine can reach the page."""
    return os.environ.get("JUPYTER_TOKEN") or (
        "" if _is_loopback(host) else secrets.token_urlsafe(24)
    )


def _path(base_url: str) -> str:
    return f"/{base_url.strip('/')}/" if base_url.strip("/") else "/"


def _address(host: str, port: int, path: str, token: str) -> str:
    if host in _EVERYWHERE:
        host = socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}{path}" + (f"?token={quote(token)}" if token else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_free(host: str, port: int) -> None:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        remedy = "Stop what uses it, or choose another with --port."
        raise ExamsError("E304", f"Port {port} of {host} cannot be used.", remedy) from error
