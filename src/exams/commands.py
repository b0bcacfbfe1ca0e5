"""Commands that find, serve and trace what was published, make it again, give it up, and forget."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from exams import project

# As in cli.py, modules of weight are imported inside the commands.


@click.command()
@click.argument("table")
@click.option("--quarter", required=True, help="A published quarter, such as 2019Q1.")
def lineage(table: str, quarter: str) -> None:
    """Lead from TABLE (published.levels) back to the runs, code, contract and files behind it."""
    places = project.places(project.find_root(Path.cwd()))
    from exams.trail import trail  # noqa: PLC0415

    click.echo("\n".join(trail(places, table, quarter)))


@click.command()
@click.option("--delivery", "prefix", help="Start of its SHA-256, 8 digits or more.")
@click.option("--expired", is_flag=True, help="List what is over the retention period instead.")
def forget(prefix: str | None, expired: bool) -> None:
    """Delete a delivery: its file, its records, all that was made of it; and build anew."""
    if expired == bool(prefix):
        raise click.UsageError("Say --delivery and the start of a SHA-256, or --expired.")
    root = project.find_root(Path.cwd())
    places = project.places(root)
    if not prefix:
        from exams.retention import expired_lines  # noqa: PLC0415

        years = project.retention_years(project.settings(root))
        return click.echo("\n".join(expired_lines(places, years, datetime.now(UTC).date())))
    from exams.forget import forget  # noqa: PLC0415

    lines, right = forget(root, places, prefix)
    click.echo("\n".join(lines))
    sys.exit(0 if right else 1)


@click.command()
@click.argument("quarter")
@click.option("--give-up", "version", type=int, help="A version that nobody has any more.")
@click.option("--because", "reason", default="", help="How that is known; it is noted.")
def versions(quarter: str, version: int | None, reason: str) -> None:
    """List the versions of QUARTER that were published; give one up that a build fails on (E324).

    A version that is given up stays in the ledger, but later ones are not compared with it.
    """
    places = project.places(project.find_root(Path.cwd()))
    from exams.versions import give_up, version_lines  # noqa: PLC0415

    if version is not None:
        return click.echo("\n".join(give_up(places, quarter, version, reason)))
    click.echo("\n".join(version_lines(places, quarter)))


@click.command()
@click.argument("quarter", required=False)
@click.option("--all", "every", is_flag=True, help="Reproduce every published quarter.")
def reproduce(quarter: str | None, every: bool) -> None:
    """Make the published QUARTER again in a scratch folder and compare; change nothing.

    The exit code is 0 if every output and published cell is the same, else 1.
    """
    if every == bool(quarter):
        raise click.UsageError("Say a quarter such as 2019Q1, or --all.")
    root = project.find_root(Path.cwd())
    places = project.places(root)
    from exams import published  # noqa: PLC0415
    from exams.orchestrate.reproduce import reproduce  # noqa: PLC0415

    quarters = [quarter] if quarter else published.published_quarters(places.published)
    outcomes = list(reproduce(root, places, quarters))
    click.echo("\n".join(line for outcome in outcomes for line in outcome.lines()))
    sys.exit(1 if any(outcome.differences for outcome in outcomes) else 0)


def listening_options(port: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the options of a command that serves: host, port, base_url and names."""
    told = partial(click.option, show_default=True)
    options = (
        told("--host", default="127.0.0.1", help="Address to listen on."),
        told("--port", default=port, help="Port to listen on."),
        told("--base-url", default="/", help="Path below which it lies."),
        click.option("--name", "names", multiple=True, help="Name of the host behind a proxy."),
    )

    def given(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return given


@click.command()
@listening_options(8867)
def api(host: str, port: int, base_url: str, names: Sequence[str]) -> None:
    """Serve the published tables as JSON and CSV until Ctrl-C (docs/api.md)."""
    places = project.places(project.find_root(Path.cwd()))
    from exams.api.serve import serve  # noqa: PLC0415

    serve(places.published, host, port, base_url, names)


@click.command()
@click.option("--quarter", help="The quarter to look at; else the newest one.")
def where(quarter: str | None) -> None:
    """Say where report and pages are, and what to do next."""
    root = project.find_root(Path.cwd())
    click.echo("\n".join(where_lines(root, quarter)))


def where_lines(root: Path, quarter: str | None = None) -> list[str]:
    """Return four lines: report (the newest), static site, dashboard, a file of your own."""
    places = project.places(root)
    reports = sorted(places.reports.glob(f"{quarter or '*'}/visualize.html"))

    def shown(page: Path | None) -> str:
        if not page or not page.is_file():
            return "none yet"
        return str(page.relative_to(root) if page.is_relative_to(root) else page)

    return [
        f"Report:     {shown(reports[-1] if reports else None)}",
        f"Site:       {shown(places.site / 'index.html')}",
        "Dashboard:  make dashboard",
        "Your file:  make run QUARTER=2019Q1 FILES=path/to/file.csv",
    ]
