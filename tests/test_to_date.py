"""Figures of several quarters together, and what they would tell if they were summed carelessly."""

import numpy as np
import pandas as pd
import pytest
from given import SMALL

from exams import published
from exams.disclosure import audit
from exams.stages.to_date import parts_of, to_date
from exams.tables import TABLES
from test_protect import dimension

LAST = "2025Q2"
NO_BREAK = pd.DataFrame({"score": []})
KEYS = ["dimension", "level"]


@pytest.fixture
def contract(contract_of):
    return contract_of({**SMALL, "fields": [dimension("track", 2), SMALL["fields"][1]]})


def scores(quarter):
    """Return the scores of two tracks in a quarter, drawn from one seed."""
    rng = np.random.default_rng(int(quarter[3] + quarter[5]))
    return {"t0": rng.integers(0, 11, 20), "t1": rng.integers(0, 11, 30)}


def tables(quarter, hidden=()):
    """Return the protected tables of a quarter; the groups `hidden` are."""
    of = scores(quarter)
    groups = {("all", "all"): np.concatenate(list(of.values()))}
    groups |= {("track", name): values for name, values in of.items()}
    means, risk = [], []
    for (name, level), values in groups.items():
        key = {"quarter": quarter, "dimension": name, "level": level}
        key["suppressed"] = int(level in hidden)
        told = {"n": len(values), "mean": values.mean(), "sd": values.std(ddof=1)}
        means.append(key | {"score": "points"} | (told if level not in hidden else {}))
        counts = {"n": len(values), "at_risk": int((values < 4).sum())}
        risk.append(key | (counts if level not in hidden else {}))
    found = {"mean_by_group": means, "at_risk_by_group": risk}
    names = {t.name: [c.name for c in t.columns] for t in TABLES}
    return {k: pd.DataFrame(rows, columns=names[k]).astype(object) for k, rows in found.items()}


@pytest.fixture
def database(tmp_path):
    return tmp_path / "published.db"


def publish(database, quarter, *, hidden=(), broken=()):
    shown = {k: f.where(f.notna(), None) for k, f in tables(quarter, hidden).items()}
    rows = {table.name: [] for table in published.CONTENT}
    rows |= {name: frame.to_dict("records") for name, frame in shown.items()}
    for place, score in enumerate(broken):
        names = ("former", "subject", "change", "detail", "meaning")
        row = {"quarter": quarter, "place": place, "score": score} | dict.fromkeys(names, "")
        rows["comparability_break"].append(row)
    published.publish(database, quarter, rows, ("Exams", "1"))


def summed(database, table, span, level="all", hidden=()):
    found = to_date(tables(LAST, hidden), NO_BREAK, database, LAST)[table]
    (row,) = found[(found["span"] == span) & (found["level"] == level)].to_dict("records")
    return row


def test_sums_are_those_of_all_the_single_results(database):
    for quarter in ("2024Q3", "2025Q1"):
        publish(database, quarter)
    for span, quarters in (("year", ["2025Q1", LAST]), ("all", ["2024Q3", "2025Q1", LAST])):
        values = np.concatenate([v for q in quarters for v in scores(q).values()])
        row = summed(database, "mean_to_date", span)
        assert (row["first"], row["quarters"], row["n"]) == (
            quarters[0],
            len(quarters),
            len(values),
        )
        assert row["mean"] == pytest.approx(values.mean(), rel=1e-12)
        assert row["sd"] == pytest.approx(values.std(ddof=1), rel=1e-12)
        risk = summed(database, "at_risk_to_date", span)
        assert (risk["n"], risk["at_risk"]) == (len(values), (values < 4).sum())
        assert risk["ci_low"] < risk["share"] < risk["ci_high"]


def test_later_quarters_do_not_count_and_without_an_earlier_one_the_sum_is_the_quarter(database):
    publish(database, "2025Q3")
    row = summed(database, "mean_to_date", "all", "t0")
    assert (row["first"], row["quarters"], row["n"]) == (LAST, 1, 20)


@pytest.mark.parametrize(
    ("broken", "first"), [(["points"], "2025Q1"), (["all"], "2025Q1"), (["mark"], "2024Q3")]
)
def test_a_sum_starts_anew_where_comparability_broke(database, broken, first):
    publish(database, "2024Q3")
    publish(database, "2025Q1", broken=broken)
    assert summed(database, "mean_to_date", "all")["first"] == first
    assert summed(database, "at_risk_to_date", "all")["first"] == "2025Q1"  # of whatever score


def test_a_sum_is_hidden_where_one_of_its_quarters_is(database):
    publish(database, "2024Q3", hidden=["t0", "t1"])
    publish(database, "2025Q1")
    for table in ("mean_to_date", "at_risk_to_date"):
        away = summed(database, table, "all", "t0")
        assert away["suppressed"] == 1 and pd.isna(away["n"])
        assert summed(database, table, "all")["suppressed"] == 0
        assert summed(database, table, "year", "t0")["suppressed"] == 0
        assert summed(database, table, "year", "t0", hidden=["t0", "t1"])["suppressed"] == 1


def told(database, contract, made, hidden=()):
    now = tables(LAST, hidden)
    return {
        (f.table, f.row): f.attack
        for f in audit(made, contract, (), parts_of(now, database, LAST)).findings
    }


def test_a_sum_that_shows_a_hidden_quarter_is_found_by_the_others(database, contract):
    """1,020 less 1,000 is 20: of the quarter in which the group is hidden."""
    publish(database, "2024Q3", hidden=["t0", "t1"])
    careful = to_date(tables(LAST), NO_BREAK, database, LAST)
    assert told(database, contract, careful) == {}
    publish(database, "2024Q3")
    careless = to_date(tables(LAST), NO_BREAK, database, LAST)
    assert told(database, contract, careless) == {}  # then every part is shown
    publish(database, "2024Q3", hidden=["t0", "t1"])
    means = careless["mean_to_date"]
    rows = np.flatnonzero((means["span"] == "all") & (means["dimension"] == "track"))
    attack = "figures of several quarters less those of each"
    expected = {("mean_to_date", int(row)): attack for row in rows}
    found = told(database, contract, careless)
    assert {k: v for k, v in found.items() if k[0] == "mean_to_date"} == expected
    assert any(table == "at_risk_to_date" for table, _ in found)


@pytest.mark.parametrize("column", ["n", "mean", "sd"])
def test_a_sum_of_more_than_what_is_published_is_found(database, contract, column):
    """As if a quarter's unpublished correction were in it."""
    publish(database, "2025Q1")
    made = to_date(tables(LAST), NO_BREAK, database, LAST)
    means = made["mean_to_date"].copy()
    means[column] += 1
    assert set(told(database, contract, made | {"mean_to_date": means})) == {
        ("mean_to_date", row) for row in range(len(means))
    }
