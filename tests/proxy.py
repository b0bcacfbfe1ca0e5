"""A small reverse proxy as in docs/deploy.md: it asks for a login and passes all else on."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SESSION = "session=let-in"  # the cookie of those who have logged in
_REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\nConnection: close\r\n\r\nLog in"


@contextmanager
def proxied(port: int) -> Iterator[int]:
    """Serve what listens on `port` of this machine to those with the cookie; give a port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, port), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server: socket.socket, port: int) -> None:
    with suppress(OSError):  # it is closed at the end
        while True:
            client, _ = server.accept()
            threading.Thread(target=_serve, args=(client, port), daemon=True).start()


def _serve(client: socket.socket, port: int) -> None:
    """Pass one request on, with its Host header, and what follows it in both directions."""
    with suppress(OSError), client:
        head = _head(client)
        if SESSION.encode() not in head:
            client.sendall(_REFUSED)
            return
        if (
            b"upgrade: websocket" not in head.lower()
        ):  # one request a connection, each with a cookie
            lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"connection:")]
            head = b"\r\n".join([lines[0], b"Connection: close", *lines[1:]])
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            upstream.sendall(head)
            threading.Thread(target=_pump, args=(client, upstream), daemon=True).start()
            _pump(upstream, client)


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (more := client.recv(65536)):
        head += more
    return head


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while more := source.recv(65536):
            target.sendall(more)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
