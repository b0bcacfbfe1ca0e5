"""A hostile reader: everything that was ever published, and a linear program of his own.

He has copies of published.db, of every version and quarter, and nothing else. His unknowns are
the finest there are, the students of each profile with each score, so that counts, students at
risk, levels, bins, sums and sums of squares are linked as they are in truth.
"""

import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from given import SMALL
from office import QUARTER, Office
from scipy.optimize import linprog

from exams.stages import publish as door
from exams.stages.revising import revisions
from test_protect import dimension
from test_publish import figures

POINTS = SMALL["fields"][1] | {"levels": [0, 5, 8]}
FIELDS = [dimension("track", 3), dimension("place", 3), POINTS]
CONTRACT = {**SMALL, "fields": FIELDS, "crossings": [["track", "place"]]}
RISK, SCORES = 5, np.arange(11)
TRACK, PLACE, SCORE = np.meshgrid(range(3), range(3), SCORES, indexing="ij")


def cells(rng):
    """Draw how many students there are of each track, place and score."""
    sizes = rng.choice([3, 8, 14, 25], size=(3, 3))
    shares = rng.dirichlet(np.full(11, 0.7), size=(3, 3))
    return np.array(
        [rng.multinomial(n, p) for n, p in zip(sizes.flat, shares.reshape(9, 11), strict=True)]
    ).reshape(3, 3, 11)


def delivered(counts):
    lines = [
        f"t{track},p{place},{score}"
        for (track, place, score), n in np.ndenumerate(counts)
        for _ in range(n)
    ]
    return "\n".join(["track,place,points", *lines, ""])


def publish(office, counts, quarter=QUARTER):
    """Deliver, load and publish; return a reader's copy of what is published."""
    office.deliver(quarter, all=delivered(counts))
    office.build(quarter)
    made = {name: f.assign(quarter=quarter) for name, f in figures(office, quarter).items()}
    former = door.former_versions(office.places, office.contract, quarter)
    tables, _ = door.secure(door.protect(made, office.contract, former), office.contract, former)
    database = office.places.published
    tables["change"] = door.beside_former(tables["change"], database)
    tables |= door.to_date(tables, pd.DataFrame({"score": []}), database, quarter)
    tables["revision"] = revisions(tables, office.places, quarter)
    door.publish(tables, office.places, office.contract, quarter)
    return shutil.copy(
        database, database.with_name(f"copy-{len(list(database.parent.iterdir()))}.db")
    )


def rows(copy, table, quarter=QUARTER):
    with closing(sqlite3.connect(copy)) as connection:
        connection.row_factory = sqlite3.Row
        query = f'SELECT * FROM "{table}" WHERE quarter = ?'
        return [dict(row) for row in connection.execute(query, [quarter])]


def within(row):
    """Return which unknowns are students of the group of a row."""
    found = np.ones(TRACK.shape, bool)
    for name, level in (("dimension", "level"), ("dimension_2", "level_2")):
        if row.get(name, "all") != "all":
            axis = TRACK if row[name] == "track" else PLACE
            found &= axis == int(row[level][1])
    return found


def told(copy, quarter=QUARTER):
    """Yield what each published row says: a sum of unknowns, its value (None: hidden), a name."""
    low = SCORE < RISK
    for table in ("mean_by_group", "mean_by_crossing", "at_risk_by_group"):
        for row in rows(copy, table, quarter):
            group, n = within(row), row["n"]
            described = table != "at_risk_by_group"  # else another table may show n
            yield group, n, (table, row["level"], row.get("level_2")) if described else None
            if not described:
                yield group & low, row["at_risk"], (table, row["level"])
                yield group & ~low, None if n is None else n - row["at_risk"], None
            elif n:
                yield group * SCORE, n * row["mean"], None
                yield group * SCORE**2, (n - 1) * row["sd"] ** 2 + n * row["mean"] ** 2, None
    edges = {1: (0, 5), 2: (5, 8), 3: (8, 11)}
    for table in ("levels", "level_by_group"):
        for row in rows(copy, table, quarter) if _has(copy, table) else ():
            start, end = edges[row["code"]]
            of = within(row) & np.isin(SCORE, range(start, end))
            yield of, row["n"], (table, row.get("level"), row["code"])
    for row in rows(copy, "histogram", quarter):
        end = row["high"] + (row["high"] == 10)
        yield np.isin(SCORE, np.arange(row["low"], end)), row["n"], ("histogram", row["bin"])


def _has(copy, table):
    with closing(sqlite3.connect(copy)) as connection:
        query = "SELECT 1 FROM sqlite_master WHERE name = ?"
        return connection.execute(query, [table]).fetchone() is not None


def attack(versions, moved=0):
    """Return the width of the range of each hidden count, by (version, name).

    versions: copies, each of a quarter on its own or of one quarter after another version of it;
    moved: by how many students each differs from the first at most, on either side.
    """
    size = TRACK.size
    wide = size * (1 + 2 * (len(versions) - 1))
    known, values, hidden = [], [], []
    for number, copy in enumerate(versions):
        for of, value, name in told(copy):
            row = np.zeros(wide)
            row[:size] = np.asarray(of, float).reshape(-1)
            if number:  # the first version, less those who left, and those who came
                start = size * (2 * number - 1)
                row[start : start + size] = -row[:size]
                row[start + size : start + 2 * size] = row[:size]
            if value is not None:
                known.append(row)
                values.append(value)
            elif name:
                hidden.append(((number, *name), row))
    bounds, limits = _moves(len(versions), size, wide)
    found = {}
    for name, row in hidden:
        ends = [
            linprog(
                sign * row,
                A_ub=np.vstack([np.array(known), -np.array(known), bounds]),
                b_ub=np.concatenate(
                    [np.array(values) + 1e-5, 1e-5 - np.array(values), limits(moved)]
                ),
            )
            for sign in (1, -1)
        ]
        assert all(end.status == 0 for end in ends), [end.message for end in ends]
        found[name] = np.floor(-ends[1].fun + 1e-4) - np.ceil(ends[0].fun - 1e-4)
    return found


def _moves(number, size, wide):
    """Return what bounds those who left (no more than there were) and how many moved."""
    lines = []
    for version in range(1, number):
        start = size * (2 * version - 1)
        for unknown in range(size):
            line = np.zeros(wide)
            line[unknown], line[start + unknown] = -1, 1
            lines.append((line, False))
        for side in (0, size):
            line = np.zeros(wide)
            line[start + side : start + side + size] = 1
            lines.append((line, True))
    matrix = np.array([line for line, _ in lines]).reshape(-1, wide)
    counted = np.array([of for _, of in lines], bool)
    return matrix, lambda moved: np.where(counted, moved, 0)


@pytest.fixture
def office(tmp_path, contract_of):
    return Office(tmp_path, contract_of(CONTRACT))


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_no_hidden_count_of_a_quarter_is_found(office, seed):
    copy = publish(office, cells(np.random.default_rng(seed)))
    widths = attack([copy])
    assert {name: width for name, width in widths.items() if width <= 4} == {}
    assert widths  # there was something to find


def corrected(counts, rng, share):
    """Return the counts where a share of the students have another place or score."""
    found = counts.copy()
    for index in zip(*np.nonzero(counts), strict=True):
        for _ in range(rng.binomial(counts[index], share)):
            found[index] -= 1
            found[index[0], rng.integers(3), rng.integers(11)] += 1
    return found


@pytest.mark.parametrize("seed", [0, 3])
def test_no_hidden_count_is_found_by_a_corrected_version(office, seed):
    rng = np.random.default_rng(seed)
    first = cells(rng)
    second = corrected(first, rng, 0.3)
    copies = [publish(office, counts) for counts in (first, second)]
    moved = int(np.maximum(second - first, 0).sum())
    widths = attack(copies, moved)
    assert {name: width for name, width in widths.items() if width <= 4} == {}
