"""Datasette over published.db: what it may do, and how long that may take."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import DEFAULT_PLUGINS, pm

from exams.api import answers
from exams.api.about import DATABASE, SERVED, about
from exams.api.guard import App, Gate, guarded, served

SETTINGS = {
    "default_allow_sql": False,  # one query may take gigabytes within any limit of time
    "allow_facet": False,  # an address may ask for any number of them
    "suggest_facets": False,
    "allow_download": False,  # a file's free pages still hold what was withdrawn
    "max_returned_rows": 1000,
    "sql_time_limit_ms": 1000,
    "max_csv_mb": 100,
    "default_cache_ttl": 0,  # the next publication is seen at once
}
_LONGEST = 1_000_000  # bytes of one value


class Published(Database):
    """published.db, opened anew for each question: the next publication takes its place."""

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Return a connection that can only read, and no other file."""
        connection = sqlite3.connect(f"{Path(self.path).as_uri()}?mode=ro", uri=True)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        return connection

    async def execute(self, *arguments: Any, **more: Any) -> Any:
        """Return what a query finds; one that fails is not written to the log, with its values."""
        return await super().execute(*arguments, **{**more, "log_sql_errors": False})

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        """Return what `fn` finds in the present publication."""

        def ask() -> Any:
            with closing(self.connect()) as connection:
                self.ds._prepare_connection(connection, self.name)
                return fn(connection)

        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, ask)


def application(
    database: Path, token: str = "", base: str = "/", names: tuple[str, ...] = ()
) -> App:
    """Return the API of `database` as an ASGI application; its arguments are those of Gate."""
    _choose_plugins()
    datasette = Datasette(memory=True, settings=SETTINGS | {"base_url": base}, metadata=about())
    datasette.remove_database("_memory")
    datasette.add_database(Published(datasette, str(database)), name=DATABASE)
    columns = {table.name: {c.name for c in table.columns} for table in SERVED}
    gate = Gate(database, served(DATABASE, columns), columns, base, token, names)
    return guarded(datasette.app(), gate)


def _choose_plugins() -> None:
    """Let go of plugins that happen to be installed, and take our answers instead of its own."""
    wanted = {*DEFAULT_PLUGINS} - {"datasette.handle_exception", "datasette.forbidden"}
    for name, plugin in pm.list_name_plugin():
        if name not in wanted:
            pm.unregister(plugin)
    pm.register(answers)
