"""The command `exams`: each command is one call into the module that does the work."""

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from exams import project
from exams.commands import api, forget, lineage, listening_options, reproduce, versions, where
from exams.errors import ExamsError
from exams.places import STAGES, Places
from exams.quarters import check_quarter

# Modules of weight are imported inside the commands: `exams --help` answers at once.


_REFUSALS = ("E0", "E1", "E208")  # E208: too much of a file would go to quarantine


class Commands(click.Group):
    """Commands whose ExamsError ends in one or two lines and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; exit 2 for wrong usage or a refused file, 1 for failed work."""
        try:
            return super().invoke(ctx)
        except ExamsError as error:
            click.echo(f"{error.code} {error.message}\n{error.remedy}".rstrip(), err=True)
            ctx.exit(2 if error.code.startswith(_REFUSALS) else 1)
        except (OSError, sqlite3.OperationalError) as error:  # a full disk, a closed folder
            from exams.orchestrate.failures import explain_exception  # noqa: PLC0415

            code, text = explain_exception(error)
            if code is None:
                raise
            click.echo(f"{code} {text}", err=True)
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Quarterly exam results: from delivered files to reports and a dashboard."""


for command in (lineage, reproduce, versions, forget, api, where):
    main.add_command(command)


@main.command()
@click.option("--due", is_flag=True, help="Build every quarter that is due, oldest first.")
@click.option("--quarter", "quarters", multiple=True, help="A quarter such as 2019Q1.")
@click.option("--until", type=click.Choice(STAGES), default=STAGES[-1], help="Last stage to run.")
def build(due: bool, quarters: Sequence[str], until: str) -> None:
    """Run the notebooks of quarters, as far as something has changed."""
    if not due and not quarters:
        raise click.UsageError("Say --due, or --quarter 2019Q1.")
    root = project.find_root(Path.cwd())
    chosen = sorted({check_quarter(quarter) for quarter in quarters})
    from exams.orchestrate.build import build_due, build_quarter  # noqa: PLC0415

    if due:
        sys.exit(build_due(root, chosen, until))
    went_well = [build_quarter(quarter, root, until) for quarter in chosen]
    sys.exit(0 if all(went_well) else 1)


@main.command()
@click.option("--quarter", "quarters", multiple=True, help="A quarter such as 2019Q1; else all.")
def plan(quarters: Sequence[str]) -> None:
    """Say which stages a build would run, and why; change nothing."""
    root = project.find_root(Path.cwd())
    chosen = [check_quarter(quarter) for quarter in quarters]
    from exams.orchestrate.planning import plan_lines  # noqa: PLC0415

    click.echo("\n".join(plan_lines(root, chosen)))


@main.command()
@click.argument("stage", type=click.Choice(STAGES))
@click.option("--quarter", required=True, help="The quarter of the results, such as 2019Q1.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Seconds to wait; else for ever.")
def wait(stage: str, quarter: str, timeout: float | None) -> None:
    """Wait until another process has done STAGE for the files delivered by now.

    The exit code is 0 when it is done, 1 if it has failed or is not done in time.
    """
    root = project.find_root(Path.cwd())
    check_quarter(quarter)
    from exams.orchestrate.waiting import wait_for  # noqa: PLC0415

    wait_for(stage, quarter, root, timeout)
    click.echo(f"{stage} of {quarter} is done.")


@main.command()
@click.option("--quarter", help="The quarter whose files are listed; else the newest loaded.")
@click.option("--history", is_flag=True, help="List every delivery ever, removed ones, too.")
@click.option("--json", "as_json", is_flag=True, help="Say how things stand as JSON.")
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until Ctrl-C.")
def status(quarter: str | None, history: bool, as_json: bool, watch: bool) -> None:
    """Show how far each quarter is, what is wrong, and where the records of its files are.

    The exit code is 0 if all is right, 1 if something failed, was interrupted or is late.
    """
    if as_json and (quarter or history or watch):
        raise click.UsageError("--json says how things stand; it goes with no other option.")
    root = project.find_root(Path.cwd())
    places, timing = project.places(root), project.timing(project.settings(root))
    from exams.overview import overview  # noqa: PLC0415
    from exams.retention import notice  # noqa: PLC0415
    from exams.situation import situation  # noqa: PLC0415

    if as_json:
        found = situation(places, timing)
        click.echo(json.dumps(found, indent=1))
        sys.exit(0 if found["ok"] else 1)
    if watch:
        return _watch(lambda: overview(places, timing, quarter, history=history)[0])
    lines, right = overview(places, timing, quarter, history=history)
    years = project.retention_years(project.settings(root))
    click.echo("\n".join([*lines, *notice(places, years, datetime.now(UTC).date())]))
    sys.exit(0 if right else 1)


def _watch(lines: Callable[[], list[str]]) -> None:
    """Show `lines` anew every two seconds, until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        while True:
            try:
                shown = "\n".join(lines())
            except ExamsError as error:  # it is being written: the next look will tell
                shown = str(error)
            click.clear()
            click.echo(shown)
            time.sleep(2)


@main.command()
def sample() -> None:
    """Write sample deliveries, unless something has been delivered."""
    root = project.find_root(Path.cwd())
    from exams.samples import write_samples  # noqa: PLC0415

    written = write_samples(project.places(root), datetime.now(UTC).date())
    for path in written:
        click.echo(f"{path.relative_to(root)} is a sample.")
    if not written:
        click.echo("There are results already: no samples needed.")


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--quarter", help="The quarter of the results, such as 2019Q1.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
def check(files: Sequence[Path], quarter: str | None, as_json: bool) -> None:
    """Say what would become of FILES; load nothing.

    The exit code is 0 if all of it would load, 1 if some records would go to quarantine, 2 if a
    file is refused. With a quarter, its contract counts, and what lies in its folder.
    """
    places, largest = _intake()
    from exams import checklist  # noqa: PLC0415
    from exams.check import check_files  # noqa: PLC0415

    found = check_files(files, places, largest, quarter)
    click.echo(checklist.as_json(found) if as_json else checklist.as_text(found))
    sys.exit(found.exit_code)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--quarter", required=True, help="The quarter of the results, such as 2019Q1.")
def deliver(files: Sequence[Path], quarter: str) -> None:
    """Check FILES, and take them into the folder of a quarter if none is refused."""
    places, largest = _intake()
    from exams.deliver import deliver  # noqa: PLC0415

    click.echo("\n".join(deliver(files, quarter, places, largest)))


@main.command()
@click.argument("url")
@click.option("--quarter", required=True, help="The quarter of the results, such as 2019Q1.")
def fetch(url: str, quarter: str) -> None:
    """Fetch URL (https://..., kaggle://owner/dataset/file) into the folder of a quarter."""
    places, largest = _intake()
    from exams.fetch import fetch  # noqa: PLC0415

    click.echo("\n".join(fetch(url, quarter, places, largest)))


@main.command()
@click.argument("quarter")
@click.option("--csv", "write", is_flag=True, help="Write the records, to be corrected.")
def quarantine(quarter: str, write: bool) -> None:
    """Show why records of QUARTER are in quarantine; with --csv, write them out."""
    places, largest = _intake()
    check_quarter(quarter)
    from exams.quarantine import exported, summary_lines  # noqa: PLC0415

    if write:
        click.echo("\n".join(exported(places, quarter, largest)))
    else:
        click.echo("\n".join(summary_lines(places, quarter)))


@main.command()
@click.option("--from", "first", type=click.Choice(STAGES), default=STAGES[0], help="First stage.")
@click.option("--until", type=click.Choice(STAGES), default=STAGES[-1], help="Last stage.")
def schedule(first: str, until: str) -> None:
    """Build what is due at each tick, until Ctrl-C or SIGTERM.

    With EXECUTION_MODE=test that is every minute; else as `schedule` in env.yaml says. With
    --from, a quarter waits until another schedule has done the stages before.
    """
    stages = STAGES[STAGES.index(first) : STAGES.index(until) + 1]
    if not stages:
        raise click.UsageError(f"{until} comes before {first}.")
    root = project.find_root(Path.cwd())
    from exams.schedule import run_schedule  # noqa: PLC0415

    run_schedule(root, stages=stages)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Write a backup of the data folder to FOLDER, a new one; builds may go on meanwhile."""
    places = project.places(project.find_root(Path.cwd()))
    from exams.backup.save import backup  # noqa: PLC0415

    click.echo("\n".join(backup(places, folder)))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def restore(folder: Path) -> None:
    """Put the backup in FOLDER back; files that were delivered since stay."""
    places = project.places(project.find_root(Path.cwd()))
    from exams.backup.restore import restore  # noqa: PLC0415

    click.echo("\n".join(restore(places, folder)))


@main.command()
@listening_options(8866)
def dashboard(host: str, port: int, base_url: str, names: Sequence[str]) -> None:
    """Serve the dashboard until Ctrl-C; behind a proxy: docs/deploy.md."""
    places = project.places(project.find_root(Path.cwd()))
    from exams.dashboard.serve import serve  # noqa: PLC0415

    serve(places.data, places.reports, host, port, base_url, names)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def lab(arguments: Sequence[str]) -> None:
    """Open the project in JupyterLab; ARGUMENTS are its own, such as --no-browser."""
    root = project.find_root(Path.cwd())
    from exams.lab import open_lab  # noqa: PLC0415

    open_lab(root, arguments)


def _intake() -> tuple[Places, int]:
    """Return the places of this project, and how many bytes one file may have, unpacked."""
    root = project.find_root(Path.cwd())
    return project.places(root), project.intake(project.settings(root)).largest_file


if __name__ == "__main__":
    sys.exit(main())
