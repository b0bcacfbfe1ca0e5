"""Voila with less to attack: no file without the token, and no more kernels than fit.

`exams dashboard` runs it as `python -m exams.dashboard.server NOTEBOOK`. Its settings are in
etc/jupyter/voila.py.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, ClassVar

from jinja2 import ChoiceLoader, FileSystemLoader
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import StaticFileHandler, authenticated
from traitlets import Int
from voila.app import Voila
from voila.request_info_handler import RequestInfoSocketHandler
from voila.tornado.handler import TornadoVoilaHandler

from exams import web

LARGEST = 1 << 20  # bytes that a browser may send at once
_BUSY = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="20">
<title>Exam results</title>
<p>Too many pages are open now. This one looks again by itself.</p></html>
"""

Route = tuple[Any, ...]


class Page(TornadoVoilaHandler):
    """The page of the dashboard: each one that is opened starts a kernel."""

    opening: ClassVar[set["Page"]] = set()  # whose kernels are not counted yet

    async def prepare(self) -> None:
        """Refuse who may not see the page; put off who would start one kernel too many."""
        await super().prepare()
        if self._finished:
            return
        if len(self.kernel_manager) + len(self.opening) >= self.settings["most_kernels"]:
            self.set_status(503)
            self.set_header("Retry-After", "20")
            self.finish(_BUSY)
        else:
            self.opening.add(self)

    async def get_generator(self, path: str | None = None) -> AsyncIterator[str]:
        """Yield the page in pieces, the first when its kernel has started."""
        async for piece in super().get_generator(path):
            self.opening.discard(self)
            yield piece

    def on_finish(self) -> None:
        """The page is there, or its reader has gone."""
        self.opening.discard(self)
        super().on_finish()


class _Guarded(JupyterHandler):
    """Before a handler of files: whoever may not see the page gets none."""

    @authenticated
    def get(self, path: str, include_body: bool = True) -> Any:
        return super().get(path, include_body)

    @authenticated
    def head(self, path: str) -> Any:
        return super().get(path, include_body=False)


class Dashboard(Voila):
    """Voila for one notebook, which anyone may look at and nobody may use for more."""

    name = "voila"  # whose settings it reads
    most = Int(60, config=True, help="Kernels at once, of 30 to 60 MB each.")

    def init_settings(self) -> dict[str, Any]:
        """Return Voila's settings; no browser may order a kernel to end by a message.

        The page that asks for the token is our own: Jupyter's needs styles, which are not given
        away without it, and lets whoever has it set a password for every server of this user.
        """
        settings: dict[str, Any] = super().init_settings()
        self.kernel_manager.allowed_message_types.remove("shutdown_request")
        self.identity_provider.allow_password_change = False
        pages = settings["jinja2_env"]
        pages.loader = ChoiceLoader([FileSystemLoader(web.FOLDER / "login"), pages.loader])
        return settings | {"most_kernels": self.most, "websocket_max_message_size": LARGEST}

    def init_handlers(self) -> list[Route]:
        """Return Voila's handlers, guarded, but for one that tells a page's address to anyone."""
        routes = super().init_handlers()
        return [_guarded(route) for route in routes if route[1] is not RequestInfoSocketHandler]

    def listen(self) -> None:
        """Serve until it is stopped."""
        self.app.listen = partial(self.app.listen, max_body_size=LARGEST)
        super().listen()


def _guarded(route: Route) -> Route:
    pattern, handler, *settings = route
    if handler is TornadoVoilaHandler:
        handler = Page
    elif issubclass(handler, StaticFileHandler):
        handler = type(f"Guarded{handler.__name__}", (_Guarded, handler), {})
    return (pattern, handler, *settings)


if __name__ == "__main__":
    Dashboard.launch_instance()
