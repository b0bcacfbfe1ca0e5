"""Where a service listens, and who may ask it: the same for the dashboard and the API."""

import ipaddress
import os
import secrets
import socket
from pathlib import Path
from urllib.parse import quote

from exams.errors import ExamsError

_EVERYWHERE = ("0.0.0.0", "::")  # no address that a browser could open


def token(host: str, variable: str) -> str:
    """Return the token to ask for; empty: none, because only this machine can reach `host`.

    It is the environment's `variable`, or the content of the file that `variable`_FILE names, as
    containers are given secrets; where neither is set, one made anew beyond this machine. Raise
    E314 if the file holds none.
    """
    if given := os.environ.get(variable) or _secret(f"{variable}_FILE"):
        return given
    return "" if is_loopback(host) else secrets.token_urlsafe(24)


def _secret(variable: str) -> str:
    """Return the content of the file that the environment's `variable` names; empty if none."""
    name = os.environ.get(variable)
    if not name:
        return ""
    try:
        found = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        found = ""
    if not found:  # never open to all because a secret is missing
        raise ExamsError("E314", f"{variable} names no readable secret.", "Write a token into it.")
    return found


def path_below(base_url: str) -> str:
    """Return the path below which a service lies, with a slash at both ends."""
    return f"/{base_url.strip('/')}/" if base_url.strip("/") else "/"


def address(host: str, port: int, path: str, token: str) -> str:
    """Return the address to open in a browser; it holds the token, if one is asked for."""
    if host in _EVERYWHERE:
        host = socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}{path}" + (f"?token={quote(token)}" if token else "")


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_free(host: str, port: int) -> None:
    """Raise E304 if nothing can listen there."""
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        remedy = "Stop what uses it, or choose another with --port."
        raise ExamsError("E304", f"Port {port} of {host} cannot be used.", remedy) from error
