"""Writes what benchmarks/results/ holds into docs/performance.md and docs/images/performance.svg.

    python benchmarks/page.py

The figures replace what stands between the two marks of their name; the words around stay.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs/performance.md"
CHART = HERE.parent / "docs/images/performance.svg"
NAMES = {
    "stages": "the three stages, one process",
    "import": "sqlite3 .import",
    "build": "ploomber build --partially load",
    "duckdb": "DuckDB read_csv",
    "pandas": "pandas read_csv, to_sql",
    "sqlite-utils": "sqlite-utils insert",
    "dlt": "dlt, CSV to DuckDB",
}
# Told apart by colour-blind eyes (Okabe and Ito).
COLORS = ("#0072B2", "#D55E00", "#000000", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
PARTS = {
    "extract": "extract: read, hash, tell records apart, hand on",
    "transform": "transform: judge, quarantine, add up the cube",
    "load": "load: replace the quarter in the warehouse",
    "replace": "of this, removing the earlier load",
    "sha256": "for comparison: SHA-256 of the file",
    "parse": "for comparison: parsing the file with pyarrow, one thread",
}
# What builds.py measures, beside what, and the ratio to reach.
BUILDS = {
    "idle": (
        "`ploomber build` of a quarter that is up to date",
        '`python -c "import ploomber"`',
        1.4,
    ),
    "cold": ("`ploomber build` of a new quarter", "its notebooks and reports, by papermill", 1.15),
    "further": ("each further quarter of `exams build --due`", "its notebooks, by papermill", 1.0),
}


# What postgresql.py measures, beside what, and the ratio to reach.
SERVER = (
    ("the three stages, one process", "server", "the same, into a file", "file", 1.5),
    ("the load alone", "load", "a bare `\\copy` of its records", "copy", 1.3),
    ("the load alone", "load", "a bare `\\copy` of all its rows, in all tables", "copies", 1.3),
    ("of the load, the records", "records", "a bare `\\copy` of its records", "copy", 1.3),
)


def main() -> None:
    runs = read_runs()
    text = PAGE.read_text(encoding="utf-8")
    text = filled(text, "machine", [machine(runs)])
    text = filled(text, "intake", intake_table(runs))
    text = filled(text, "tools", tools_table(runs))
    text = filled(text, "breakdown", breakdown_table())
    text = filled(text, "builds", builds_table())
    text = filled(text, "model", model_table())
    text = filled(text, "postgresql", postgresql_table())
    text = filled(text, "viewers", viewers_table())
    text = filled(text, "cluster", cluster_table())
    PAGE.write_text(text, encoding="utf-8")
    CHART.write_text(vl_convert.vegalite_to_svg(chart(runs).to_dict()), encoding="utf-8")


def read_runs() -> pd.DataFrame:
    """Return a row for each run, and one of sizes (`facts`) for each number of rows."""
    files = sorted((HERE / "results").glob("*.jsonl"))
    if not files:
        raise SystemExit("There are no results yet: make bench.")
    return pd.concat([pd.read_json(file, lines=True) for file in files]).sort_values("rows")


def filled(text: str, name: str, lines: Iterable[str]) -> str:
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    within = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.S)
    if not within.search(text):
        raise SystemExit(f"{PAGE.name} has no marks for {name}.")
    return within.sub(lambda _: "".join(f"{line}\n" for line in lines), text)


def machine(runs: pd.DataFrame) -> str:
    facts = runs[runs["what"] == "facts"].iloc[-1]
    return (
        f"A virtual machine with {facts['cores']:.0f} cores and {facts['memory']:.0f} GB of memory."
    )


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def intake_table(runs: pd.DataFrame) -> Iterator[str]:
    """Yield, for each number of rows, what the stages cost beside the bare import."""
    head = ["records", "stages", "import", "ratio", "CPU", "peak memory", "result table per 1M"]
    return table(
        [*head, "build", "ratio"], map(_intake_row, *zip(*runs.groupby("rows"), strict=True))
    )


def _intake_row(rows: int, runs: pd.DataFrame) -> list[str]:
    by = {what: found.set_index("turn") for what, found in runs.groupby("what")}
    ours, bare, facts = by["stages"], by["import"], by["facts"].iloc[0]
    cells = [
        f"{rows:,}",
        seconds(ours["seconds"].median()),
        seconds(bare["seconds"].median()),
        f"**{ratio(ours, bare):.2f}**",
        seconds(ours["cpu"].median()),
        f"{ours['peak'].max():.0f} MB",
        f"{facts['table'] / rows * 1e6:.1f} MB",
    ]
    if "build" not in by:
        return [*cells, "", ""]
    return [*cells, seconds(by["build"]["seconds"].median()), f"**{ratio(by['build'], bare):.2f}**"]


def ratio(ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
    """Return the median of the ratios of runs of the same turn."""
    return (ours["seconds"] / theirs["seconds"]).median()


def tools_table(runs: pd.DataFrame) -> Iterator[str]:
    """Yield seconds and peak memory of every tool, at each number of rows where others ran."""
    runs = runs[runs["what"] != "facts"]
    sizes = sorted(runs.loc[~runs["what"].isin(["stages", "import", "build"]), "rows"].unique())
    spent = runs.groupby(["what", "rows"]).agg({"seconds": "median", "peak": "max"})
    head = ["", *(f"{size:,} records" for size in sizes)]
    return table(head, ([NAMES[what], *cells] for what, cells in _tool_rows(spent, sizes)))


def _tool_rows(spent: pd.DataFrame, sizes: list[int]) -> Iterator[tuple[str, list[str]]]:
    for what in NAMES:
        found = [spent.loc[(what, s)] if (what, s) in spent.index else None for s in sizes]
        if any(cell is not None for cell in found):
            yield (
                what,
                [
                    "" if f is None else f"{seconds(f['seconds'])}, {f['peak']:.0f} MB"
                    for f in found
                ],
            )


def model_table() -> Iterator[str]:
    """Yield the medians of the model stage's turns by size, and their ratios to the smallest."""
    path = HERE / "results/model.json"
    if not path.is_file():
        yield "Not measured yet: `python benchmarks/model.py`."
        return
    runs = pd.read_json(path).groupby("rows").median()
    least = runs.iloc[0]
    rows = (
        (
            f"{size:,}",
            f"{run['seconds']:.1f} s",
            f"**{run['seconds'] / least['seconds']:.2f}**",
            f"{run['peak']:.0f} MB",
            f"**{run['peak'] / least['peak']:.2f}**",
            f"{run['slowest']:.1f} s",
        )
        for size, run in runs.iterrows()
    )
    yield from table(["records", "stage", "ratio", "peak memory", "ratio", "slowest cell"], rows)


def viewers_table() -> Iterator[str]:
    """Yield what viewers of the dashboard and of the static site wait for, beside the goals."""
    path = HERE / "results/viewers.json"
    if not path.is_file():
        yield "Not measured yet: `PYTHONPATH=tests python benchmarks/viewers.py`."
        return
    found = json.loads(path.read_text())
    warm, cold, site = (found[name] for name in ("warm", "cold", "site"))
    crowd, static = found["crowd"], found["static"]
    rows = [
        ("first figures seen, a kernel waiting", milliseconds(warm["first"]), "500 ms"),
        ("all charts of Home drawn", milliseconds(warm["charts"]), "2,000 ms"),
        ("the same, no kernel waiting", milliseconds(cold["charts"]), "2,500 ms"),
        ("a filter changed, all drawn again", milliseconds(warm["filter"]), "150 ms"),
        (f"{crowd['viewers']} viewers at once, the last served", seconds(crowd["slowest"]), "10 s"),
        ("memory of a viewer's kernel (PSS)", f"{crowd['largest']:.0f} MB", "60 MB"),
        ("kernels gone after all have left", seconds(crowd["gone"]), ""),
        ("static site: first figures seen", milliseconds(site["first"]), ""),
        ("static site: all charts of Home drawn", milliseconds(site["charts"]), ""),
        (
            f"static site: {static['viewers']} viewers come at once, the last has loaded",
            seconds(static["load"]),
            "",
        ),
        ("static site: the slowest look for something new", seconds(static["slowest"]), ""),
    ]
    yield from table(["", "measured", "to reach"], rows)
    yield ""
    yield (
        f"A page asks {warm['requests']:.0f} times for {warm['bytes'] / 1e6:.2f} MB, the static"
        f" site {site['requests']:.0f} times for {site['bytes'] / 1e6:.2f} MB. The"
        f" {static['viewers']} viewers of the static site asked {static['requests']:,} times in"
        f" {static['seconds']:.0f} s for {static['bytes'] / 1e6:,.0f} MB; their server took"
        f" {static['cpu']:.1f} s of CPU and {static['memory']:.0f} MB. Load of the machine when"
        f" the measuring began: {found['load']:.1f}."
    )


def cluster_table() -> Iterator[str]:
    """Yield what extract and transform cost in one process, and on one and two workers."""
    path = HERE / "results/cluster.json"
    if not path.is_file():
        yield "Not measured yet: `python benchmarks/cluster.py`."
        return
    found = json.loads(path.read_text())
    turns = pd.DataFrame(found["turns"])
    spent = turns.groupby("way", sort=False)[["seconds", "cpu", "peak", "others"]].median()
    base = turns[turns["way"] == "process"].set_index("turn")
    rows = []
    for way, of_way in turns.groupby("way", sort=False):
        beside = of_way.set_index("turn")[["seconds", "cpu"]] / base[["seconds", "cpu"]]
        wall, cpu = beside.median()
        took, worked = (seconds(spent.loc[way, name]) for name in ("seconds", "cpu"))
        row = [way, took, f"**{wall:.2f}**", worked, f"**{cpu:.2f}**"]
        rows.append([*row, f"{spent.loc[way, 'peak']:.0f} MB", f"{spent.loc[way, 'others']:.0%}"])
    head = ["", "seconds", "ratio", "CPU shared", "ratio", "build's peak memory", "others took"]
    yield from table(head, rows)
    fewer = found["fewer"]
    yield ""
    yield (
        f"{found['files']} files of {found['rows']:,} records, medians of {turns['turn'].max()}"
        f" turns. With {fewer['files']} files the build's peak is {fewer['peak']:.0f} MB."
    )


def postgresql_table() -> Iterator[str]:
    """Yield the table of the warehouse on a server, as a file of its own says."""
    path = HERE / "results/postgresql.jsonl"
    if not path.is_file():
        yield "Not measured yet: `PYTHONPATH=tests python benchmarks/postgresql.py`."
        return
    runs = pd.DataFrame(map(json.loads, path.read_text(encoding="utf-8").splitlines()))
    spent = runs.pivot(index="turn", columns="what", values="seconds")
    rows = [
        [
            words,
            seconds(spent[one].median()),
            beside,
            seconds(spent[other].median()),
            f"**{(spent[one] / spent[other]).median():.2f}**",
            f"{goal:g}",
        ]
        for words, one, beside, other, goal in SERVER
    ]
    yield from table(["on a server", "", "beside", "", "ratio", "to reach"], rows)


def breakdown_table() -> Iterator[str]:
    path = HERE / "results/breakdown.json"
    spent: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    rows = [(PARTS[name], f"{spent[name]:.2f}") for name in PARTS if name in spent]
    if spent:
        rows.insert(0, ("start: Python and its imports, once", f"{spent['start']:.2f}"))
    return table([f"at {spent.get('rows', 0):,} records", "CPU s per 1M"], rows)


def builds_table() -> Iterator[str]:
    """Yield, for each way to build, what it costs beside what, and the ratio to reach."""
    found = {mode: HERE / "results/builds" / f"{mode}.jsonl" for mode in BUILDS}
    measured = {mode: path for mode, path in found.items() if path.is_file()}
    if not measured:
        return iter(["Not measured yet."])
    head = ["", "seconds", "beside", "seconds", "ratio", "to reach"]
    return table(head, (_builds_row(mode, path) for mode, path in measured.items()))


def _builds_row(mode: str, path: Path) -> list[str]:
    runs = pd.read_json(path, lines=True)
    spent = runs.pivot(index="turn", columns="what", values="seconds")
    if mode == "further":
        more = runs["quarters"].iloc[0] - 1
        spent["build"] = (spent["build"] - spent["build one"]) / more
        spent["beside"] = (spent["beside"] - spent["beside one"]) / more
    what, beside, goal = BUILDS[mode]
    ratios = f"**{(spent['build'] / spent['beside']).median():.2f}**"
    ours, theirs = (seconds(spent[name].median()) for name in ("build", "beside"))
    return [what, ours, beside, theirs, ratios, f"{goal:.2f}"]


def milliseconds(value: float) -> str:
    return f"{value:,.0f} ms"


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def chart(runs: pd.DataFrame) -> alt.LayerChart:
    """Return seconds against records, both on a logarithmic scale, a line for each tool."""
    spent = runs[runs["what"] != "facts"].groupby(["what", "rows"], as_index=False)["seconds"]
    spent = spent.median().assign(name=lambda found: found["what"].map(NAMES))
    shown = [name for name in NAMES.values() if name in set(spent["name"])]
    colors = [COLORS[place % len(COLORS)] for place in range(len(shown))]
    base = alt.Chart(spent).encode(
        x=_logarithmic("rows:Q", "records", "~s"),
        y=_logarithmic("seconds:Q", "seconds", "~g"),
        color=alt.Color(
            "name:N",
            title=None,
            scale=alt.Scale(domain=shown, range=colors),
            legend=alt.Legend(orient="bottom", labelLimit=0, columns=1),
        ),
    )
    both = base.mark_line(strokeWidth=2) + base.mark_point(filled=True, size=60, opacity=1)
    title = alt.Title("Seconds from a CSV file to a table, against records", anchor="start")
    return both.properties(width=560, height=340, title=title, background="white")


def _logarithmic(field: str, title: str, form: str) -> alt.X | alt.Y:
    scale = alt.Scale(type="log", nice=False, padding=20)
    powers = [10.0**power for power in range(-3, 10)]
    axis = alt.Axis(format=form, values=powers, gridColor="#ddd")
    return (alt.X if title == "records" else alt.Y)(field, scale=scale, title=title, axis=axis)


if __name__ == "__main__":
    main()
