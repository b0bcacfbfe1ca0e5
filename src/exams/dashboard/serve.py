"""Start Voila on the dashboard's notebook; its settings are in etc/jupyter/voila.py."""

import ipaddress
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import NoReturn

from exams import web
from exams.dashboard.kernel import NOTEBOOK, find_root
from exams.errors import ExamsError
from exams.places import Places

PORT = 8866


def serve(data: Path, reports: Path, host: str = "127.0.0.1", port: int = PORT) -> NoReturn:
    """Print the address and become Voila, which shows what lies in `data` and `reports`.

    Beyond this machine a token is asked for: that of JUPYTER_TOKEN, or a new one. Raises E304
    if the port is taken.
    """
    places = Places.of(data, reports)
    notebook = find_root(Path.cwd()) / NOTEBOOK
    _check_free(host, port)
    environment = os.environ | {
        "EXAMS_DATA": str(places.data),
        "EXAMS_REPORTS": str(places.reports),
        "JUPYTER_PATH": web.jupyter_path(),
    }
    command = [sys.executable, "-m", "voila", str(notebook), f"--Voila.ip={host}"]
    command += [f"--Voila.port={port}", "--Voila.log_level=ERROR"]
    address = f"http://{host}:{port}/"
    if not _is_loopback(host):
        token = environment.setdefault("JUPYTER_TOKEN", secrets.token_urlsafe(24))
        command.append("--Voila.auto_token=True")
        address += f"?token={token}"
    print(f"Dashboard: {address}  (Ctrl-C stops it)", flush=True)
    os.execve(sys.executable, command, environment)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            remedy = "Stop what uses it, or choose another with --port."
            raise ExamsError("E304", f"Port {port} of {host} cannot be used.", remedy) from error
