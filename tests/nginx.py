"""nginx with the configuration that docs/deploy.md shows, on a port of this machine."""

import getpass
import grp
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serving import ROOT, free_port, wait_for

USER, PASSWORD = "office", "let me in"
MAIN = """
daemon off;
user {user};
pid {folder}/pid;
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {shown}
}}
"""


@contextmanager
def documented(folder: Path, name: str, dashboard: int, reports: Path) -> Iterator[int]:
    """Put nginx before the dashboard at that port, and the static site beside it; give a port."""
    program = shutil.which("nginx")
    if program is None:
        pytest.skip("nginx is not on the PATH")
    port = free_port()
    _write(folder, name, port, dashboard, reports)
    command = [program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "errors"]
    process = subprocess.Popen(command)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _write(folder: Path, name: str, port: int, dashboard: int, reports: Path) -> None:
    """Write what the page shows, with names, ports and paths that are there."""
    here = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "results.example.org": name,
        "/etc/ssl": folder,
        "/etc/nginx": folder,
        "127.0.0.1:8866": f"127.0.0.1:{dashboard}",
        "/srv/exams/reports": reports,
        "$host;": "$http_host;",  # as the page says for another port than 443
    }
    text = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    for shown, real in here.items():
        assert shown in text, shown
        text = text.replace(shown, str(real))
    server, proxy, site = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    server = f"{server.rstrip().removesuffix('}')}{site}}}"
    me, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    main = MAIN.format(folder=folder, shown=server, user=f"{me} {group}")
    (folder / "nginx.conf").write_text(main)
    (folder / "exams-proxy.conf").write_text(proxy)
    (folder / "results.users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    key, certificate = folder / "results.key", folder / "results.pem"
    made = ["openssl", "req", "-x509", "-nodes", "-subj", f"/CN={name}", "-keyout", key]
    subprocess.run([*made, "-out", certificate], check=True, capture_output=True)
