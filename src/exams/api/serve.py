"""Serve the API until it is stopped."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from exams.errors import ExamsError
from exams.listening import address, check_free, path_below, token

TOKEN = "EXAMS_API_TOKEN"
_MOST = 64  # requests at once; more are told to come back


def serve(
    database: Path, host: str, port: int, base_url: str = "/", names: Sequence[str] = ()
) -> None:
    """Print the address and serve `database`, which need not be there yet.

    base_url: path below which it lies; names: of hosts, by which a proxy passes requests on.
    Where EXAMS_API_TOKEN is set, that token is asked for; beyond this machine one always is, made
    anew if need be. Raises E304 if the port is taken, E308 if Datasette is not installed.
    """
    try:
        import uvicorn  # noqa: PLC0415  an extra

        from exams.api.app import application  # noqa: PLC0415
    except ModuleNotFoundError as error:
        remedy = "Install it: `.venv/bin/python -m pip install -e '.[api]'`."
        raise ExamsError("E308", "The API needs the package datasette.", remedy) from error
    check_free(host, port)
    asked, base = token(host, TOKEN), path_below(base_url)
    app = application(database, asked, base, tuple(names))
    print(f"API: {address(host, port, base, asked)}  (Ctrl-C stops it)", flush=True)
    with suppress(KeyboardInterrupt):
        uvicorn.run(
            app,
            host=host,
            port=port,
            lifespan="off",
            ws="none",
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MOST,
        )
