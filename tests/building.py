"""Whole builds in a scratch place, through `ploomber build` as a user types it."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from exams.places import WAREHOUSE, Places

ROOT = Path(__file__).parents[1]
PLOOMBER = Path(sys.executable).with_name("ploomber")
QUARTER = "2019Q1"


def build(places, quarter=QUARTER, *more, address=""):
    """Run `ploomber build` for a scratch place; return its exit code and lines.

    address: that of the server which has its warehouse; empty: it is a file.
    """
    folders = ["--env--data", str(places.data), "--env--reports", str(places.reports)]
    done = subprocess.run(
        [PLOOMBER, "build", "--env--quarter", quarter, *folders, *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,  # what most systems have
        env=os.environ | {"PLOOMBER_STATS_ENABLED": "false", WAREHOUSE: address},
    )
    return done.returncode, [*done.stdout.splitlines(), *done.stderr.splitlines()]


def scratch(folder, contract):
    """Make a scratch place with a contract, and an empty folder for the quarter."""
    places = Places.of(folder / "data", folder / "reports")
    places.delivery(QUARTER).mkdir(parents=True)
    places.contract.write_text(contract)
    return places


def rows(database, query):
    with sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def charts(places):
    files = places.charts(QUARTER).iterdir()
    return {file.name.split(".")[0]: json.loads(file.read_text()) for file in files}


def charts_of_pages(places, pages: Sequence[str]) -> dict[str, int]:
    """Return how many of the charts made belong to each page of the dashboard."""
    of = [spec["usermeta"]["page"] for spec in charts(places).values()]
    return {page: sum(page in named for named in of) for page in pages}
