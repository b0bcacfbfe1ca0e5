"""Settings of Voila for this environment: one notebook, shown to this machine, and no more."""

import hashlib
import os
import tempfile

from exams import web

# With a token in the environment the token is asked for; without one, Voila answers to this
# machine's own names only, and to those that a proxy passes on, so that a page elsewhere whose
# name is made to point here gets nothing.
token = os.environ.get("JUPYTER_TOKEN", "")
guarded = bool(token)
names = os.environ.get("EXAMS_HOST_NAMES", "").split()

# The template and its scripts stand in the package; Voila looks for them along this path.
os.environ["JUPYTER_PATH"] = web.jupyter_path()

HEADERS = {
    # Vega compiles expressions and Voila's pages hold scripts, hence the two 'unsafe-'; nothing
    # may come from, or go to, another host.
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all, the server refuses its own form of login
    "Cross-Origin-Opener-Policy": "same-origin",
}

c = get_config()  # noqa: F821  (given by Jupyter)

c.Voila.ip = "127.0.0.1"
c.Voila.port_retries = 0
c.Voila.open_browser = False
c.Voila.auto_token = guarded
if guarded:  # who was let in stays in when the server is started again with the same token
    c.Voila.cookie_secret = hashlib.sha256(f"cookies {token}".encode()).digest()
c.Voila.tornado_settings = {
    "headers": HEADERS,
    "ws_ping_timeout": 30_000,  # ms; a longer one than the interval only gives a warning
    "allow_remote_access": guarded,
    "local_hostnames": ["localhost", *names],
}

c.VoilaConfiguration.template = "exams"
c.VoilaConfiguration.strip_sources = True
c.VoilaConfiguration.show_tracebacks = False
c.VoilaConfiguration.allow_template_override = "NO"
c.VoilaConfiguration.allow_theme_override = "NO"  # ?theme= would reach the page unescaped
c.VoilaConfiguration.file_allowlist = []  # files are served without asking for the token
c.VoilaConfiguration.file_denylist = [".*"]
c.VoilaConfiguration.preheat_kernel = True
c.VoilaConfiguration.default_pool_size = 1

# Files instead of ports: between its choice and its use, another program can take a port, and the
# page of that kernel would never be shown. Systems allow their paths about 100 characters, of which
# Voila and Jupyter take 65.
c.KernelManager.transport = "ipc"
if len(tempfile.gettempdir()) > 35:
    c.Voila.connection_dir_root = "/tmp"

# A page says goodbye to its kernel; for those that cannot, the kernel ends by itself.
c.MappingKernelManager.cull_idle_timeout = 60
c.MappingKernelManager.cull_interval = 15
c.MappingKernelManager.cull_connected = False
