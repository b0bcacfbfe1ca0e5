"""Who may ask the API for what: the gate before Datasette, as an ASGI application."""

import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_COOKIE = "exams_api"
_HERE = ("localhost", "127.0.0.1", "[::1]")
# Datasette's pages hold scripts and styles, hence 'unsafe-inline'; nothing comes from elsewhere.
_ALWAYS: Headers = [
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
        b" img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self';"
        b" frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


class Gate(NamedTuple):
    """What is let through.

    `database`: the file that must be there; `paths`: what may be asked for, below `base`;
    `columns`: of each table, by which its rows may be chosen;
    `token`: to be shown, unless empty; `names`: of hosts beside this machine's, without a token.
    """

    database: Path
    paths: re.Pattern[str]
    columns: Mapping[str, Collection[str]]
    base: str = "/"
    token: str = ""
    names: Iterable[str] = ()


def served(database: str, tables: Iterable[str]) -> re.Pattern[str]:
    """Return what may be asked for: the tables, their rows, what is said of them, and styles.

    Datasette has other pages: on its settings, threads and files, and for signing in.
    """
    named = "|".join(map(re.escape, tables))
    kind = r"(\.(json|csv))?"
    return re.compile(
        rf"(\.json)?|favicon\.ico|-/static/[\w.-]+|-/metadata\.json"
        rf"|{re.escape(database)}{kind}|{re.escape(database)}/(?P<table>{named})(/[^/]+?)?{kind}"
    )


def guarded(app: App, gate: Gate) -> App:
    """Return `app` behind `gate`."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refused = _refusal(scope, gate)
        if refused:
            return await _say(send, *refused)
        if gate.token and _asked(scope, "token"):
            return await _let_in(scope, send, gate)

        async def hardened(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *_ALWAYS]}
            await send(message)

        await app(scope, receive, hardened)

    return answer


def _refusal(scope: Scope, gate: Gate) -> tuple[int, str] | None:
    """Return the HTTP status and the reason if there is no answer to this, else None."""
    if gate.token and not _knows(scope, gate.token):
        return 401, "Send the token: `Authorization: Bearer TOKEN`."
    if not gate.token and _host(scope) not in (*_HERE, *gate.names):
        return 403, "This is not a name of this machine."
    if scope["method"] not in ("GET", "HEAD"):
        return 405, "The API can only be read."
    return _missing(scope, gate)


def _missing(scope: Scope, gate: Gate) -> tuple[int, str] | None:
    """Return the HTTP status and the reason if what is asked for is not there, else None."""
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    page = gate.paths.fullmatch(path[len(gate.base) :]) if path.startswith(gate.base) else None
    if page is None:
        return 404, "There is no such page."
    if page["table"] and (unknown := _unknown(scope, gate.columns[page["table"]])):
        return 400, f"There is no column {unknown[0]}."
    if not gate.database.is_file():
        return 503, "Nothing is published yet."
    return None


def _unknown(scope: Scope, columns: Collection[str]) -> list[str]:
    """Return the names of no column; SQLite would compare their text, and find nothing."""
    names = [name.partition("__")[0] for name, _ in _query(scope) if name[:1] not in ("", "_")]
    return [name for name in names if name not in {*columns, "token"}]


def _knows(scope: Scope, token: str) -> bool:
    kind, _, shown = _header(scope, b"authorization").partition(" ")
    found = [shown.strip() if kind.lower() in ("bearer", "token") else "", *_asked(scope, "token")]
    if any(hmac.compare_digest(text.encode(), token.encode()) for text in found):
        return True
    return hmac.compare_digest(_cookie(scope).encode(), _pass(token).encode())


async def _let_in(scope: Scope, send: Send, gate: Gate) -> None:
    """Send a browser on to the same address without the token, which is then in a cookie."""
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
    cookie = f"{_COOKIE}={_pass(gate.token)}; Path={gate.base}; HttpOnly; SameSite=Strict"
    goto = f"/{path.lstrip('/')}" + (f"?{rest}" if rest else "")
    more = [(b"location", goto.encode()), (b"set-cookie", cookie.encode())]
    await _say(send, 303, "", more)


def _pass(token: str) -> str:
    """Return what the cookie holds: whoever reads it does not know the token."""
    return hashlib.sha256(f"api {token}".encode()).hexdigest()


def _cookie(scope: Scope) -> str:
    try:
        found = SimpleCookie(_header(scope, b"cookie")).get(_COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _asked(scope: Scope, name: str) -> list[str]:
    return [value for key, value in _query(scope) if key == name]


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _host(scope: Scope) -> str:
    return re.sub(r":\d*$", "", _header(scope, b"host")).lower()


def _header(scope: Scope, name: bytes) -> str:
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else ""


async def _say(send: Send, status: int, error: str, more: Headers | None = None) -> None:
    body = json.dumps({"ok": False, "error": error, "status": status}).encode()
    headers = [(b"content-type", b"application/json"), *(more or []), *_ALWAYS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
