"""The attacker's audit: tables that are unsafe by construction, each by one attack."""

import numpy as np
import pandas as pd
import pytest
from given import SMALL

from exams.disclosure import Earlier, Version, audit, changed, held, protect, secure
from exams.errors import ExamsError
from exams.warehouse.ledger import read_ledger, record
from test_protect import (
    THREE,
    UNTOLD,
    by_level,
    crossed,
    dimension,
    figures,
    of_tracks,
    outcomes,
)


@pytest.fixture
def contract(contract_of):
    """Three tracks and three places, crossed; one score with two levels."""
    fields = [dimension("track", 3), dimension("place", 3), SMALL["fields"][1]]
    return contract_of({**SMALL, "fields": fields, "crossings": [["track", "place"]]})


def shown(tables):
    """Return figures as if they were protected, with nothing hidden."""
    return {name: frame.assign(suppressed=0) for name, frame in tables.items()}


def hide(tables, name, *rows, but=()):
    """Empty rows of a table: all values, `but` those of some columns."""
    keys = {"dimension", "level", "dimension_2", "level_2", "score", "code", "tier", "reference"}
    keys |= {"band", "outcome", "bin", "low", "high"}
    frame = tables[name].copy()
    frame["suppressed"] = frame["suppressed"].mask(frame.index.isin(rows), 1)
    for column in set(frame.columns) - keys - {"suppressed", *but}:
        frame[column] = frame[column].astype("Float64").mask(frame.index.isin(rows))
    return tables | {name: frame}


def one_way(n, **more):
    return shown({k: v for k, v in figures(n, **more).items() if k != "gaps"})


def found(verdict):
    return {(f.table, f.row) for f in verdict.findings}


def hide_group(tables, *rows, **more):
    for name in ("mean_by_group", "at_risk_by_group"):
        tables = hide(tables, name, *rows, **more)
    return tables


def test_a_group_is_found_by_the_difference_from_the_total(contract):
    verdict = audit(hide_group(one_way([9, 30, 20]), 1), contract)
    assert {("mean_by_group", 1), ("at_risk_by_group", 1)} <= found(verdict)
    assert verdict.narrowest == 0
    assert audit(hide_group(one_way([9, 30, 20]), 1, 3), contract).findings == ()


def test_two_groups_that_leave_each_other_a_range_of_four_are_found(contract):
    """At risk are 2 and 2 of the hidden groups: 0 to 4 each."""
    tables = one_way([30, 40, 50], risk=[2, 2, 30])
    verdict = audit(hide(tables, "at_risk_by_group", 1, 2), contract)
    assert found(verdict) == {("at_risk_by_group", 1), ("at_risk_by_group", 2)}
    tables = one_way([30, 40, 50], risk=[2, 3, 30])
    assert audit(hide(tables, "at_risk_by_group", 1, 2), contract).findings == ()


def test_all_but_a_few_of_a_hidden_group_are_found(contract):
    """29 of 30 and 31 of 40 are at risk: of the hidden ones all but 10 are, which is known."""
    tables = one_way([11, 12, 50], risk=[11, 11, 30])
    tables["mean_by_group"]["mean"] = 3.0
    verdict = audit(hide(tables, "at_risk_by_group", 1, 2), contract)
    assert found(verdict) == {("at_risk_by_group", 1), ("at_risk_by_group", 2)}


def test_a_cell_of_a_crossing_is_found_by_the_tables_of_its_dimensions(contract):
    counts = np.full((3, 3), 40)
    counts[0, 0] = 4
    tables = shown(crossed(counts))
    assert found(audit(hide(tables, "mean_by_crossing", 0), contract)) == {("mean_by_crossing", 0)}
    of_a_row = hide(tables, "mean_by_crossing", 0, 1)  # hidden in its row, not in its column
    assert ("mean_by_crossing", 0) in found(audit(of_a_row, contract))
    assert audit(hide(tables, "mean_by_crossing", 0, 1, 3, 4), contract).findings == ()


def test_of_two_levels_one_alone_is_found(contract_of):
    fields = [dimension("track", 2), SMALL["fields"][1]]
    contract = contract_of({**SMALL, "fields": fields})
    assert found(audit(hide_group(one_way([9, 30]), 1), contract))
    assert not found(audit(hide_group(one_way([9, 30]), 1, 2), contract))


@pytest.mark.parametrize(("share", "given_away"), [(0.133, True), (0.1333333333, True)])
def test_a_percentage_tells_the_hidden_count(contract, share, given_away):
    tables = one_way([30, 40, 50], risk=[4, 20, 20])
    tables["at_risk_by_group"]["share"] = [0.367, share, 0.5, 0.4]
    safe = hide(tables, "at_risk_by_group", 1, 2)
    assert audit(safe, contract).findings == ()
    partly = hide(tables, "at_risk_by_group", 1, 2, but=["share"])
    attacks = {f.attack for f in audit(partly, contract).findings}
    assert attacks == {"a value beside a hidden count", "sums of shown figures"}


def test_means_tell_hidden_counts_by_the_mean_of_all(contract):
    """(9 x 2 + 21 x 6 + 30 x 5) / 60: with the means shown, only one split of the counts fits."""
    tables = one_way([9, 21, 30])
    tables["mean_by_group"]["mean"] = [4.9, 2.0, 6.0, 5.0]
    hidden = hide_group(tables, 1, 2)
    assert audit(hidden, contract).findings == ()
    partly = hide(hide(tables, "at_risk_by_group", 1, 2), "mean_by_group", 1, 2, but=["mean"])
    found_by_sums = [f for f in audit(partly, contract).findings if f.attack.startswith("sums")]
    assert {f.table for f in found_by_sums} == {"mean_by_group", "at_risk_by_group"}


def described(all_of, *groups):
    """Return (n, mean, sd) of all and of groups as published: exact to seven digits."""
    tables = one_way([n for n, _, _ in groups])
    for column, place in (("mean", 1), ("sd", 2)):
        values = [of[place] for of in (all_of, *groups)]
        tables["mean_by_group"][column] = np.array(values, float) + 1e-7
    return {"mean_by_group": tables["mean_by_group"]}


def spread(*squares):
    """Return the standard deviation of 60 students whose squares add up to these."""
    return (sum(squares) / 59) ** 0.5


@pytest.mark.parametrize(
    ("mean", "sd", "attacks"),
    [
        # 30 x 0 + 30 x 10: the hidden ones together have all the points there are
        ((5.0, 0.0), spread(60 * 25), {"sums of means", "sums of deviations"}),
        # 30 x 5 + 30 x 5 with all the squares in t1: the hidden ones all have 5
        ((5.0, 5.0), spread(29 * 4), {"sums of means", "sums of deviations"}),
        ((5.0, 5.0), spread(29 * 4, 30 * 4), set()),
    ],
)
def test_a_hidden_mean_is_found_by_sums_and_sums_of_squares(contract, mean, sd, attacks):
    whole, shown_one = mean
    of_t1 = 0.0 if shown_one == 0 else 2.0
    tables = described((60, whole, sd), (10, 0, 0), (30, shown_one, of_t1), (20, 0, 0))
    verdict = audit(hide(tables, "mean_by_group", 1, 3), contract)
    assert {f.attack for f in verdict.findings} == attacks
    assert found(verdict) == ({("mean_by_group", 1), ("mean_by_group", 3)} if attacks else set())


def test_a_mean_that_is_rounded_to_whole_points_tells_less(contract):
    tables = described((60, 5, 5), (10, 0, 0), (30, 0, 0), (20, 0, 0))
    tables["mean_by_group"] = tables["mean_by_group"].drop(columns="sd").round({"mean": 0})
    assert audit(hide(tables, "mean_by_group", 1, 3), contract).findings == ()


def test_publication_hides_more_where_a_mean_is_found(contract):
    tables = described((60, 5, spread(29 * 4)), (10, 0, 0), (30, 5, 2), (20, 0, 0))
    safe, verdict = secure(hide(tables, "mean_by_group", 1, 3), contract)
    assert verdict.findings == ()
    assert safe["mean_by_group"]["suppressed"].tolist() == [0, 1, 1, 1]


def test_a_bin_is_found_by_its_level_and_by_the_students_at_risk(contract):
    tables = one_way([60, 40, 50], risk=[30, 30, 15], levels=(75, 75))
    bins = pd.DataFrame({"score": "points", "bin": range(1, 5), "code": [1, 1, 2, 2]})
    ends = bins.assign(low=[0, 2, 5, 8], high=[2, 5, 8, 10], n=[3, 72, 40, 35])
    tables |= shown({"histogram": ends})
    assert found(audit(hide(tables, "histogram", 0), contract)) == {("histogram", 0)}
    assert audit(hide(tables, "histogram", 0, 1), contract).findings == ()
    both = hide(hide(tables, "histogram", 0, 1), "levels", 0)  # the other level tells the sum
    assert ("levels", 0) in found(audit(both, contract))


def test_levels_are_found_by_the_students_at_risk(contract):
    tables = one_way([60, 40, 50], risk=[10, 10, 5], levels=(25, 125))
    assert found(audit(hide(tables, "levels", 0, 1), contract)) == {("levels", 0), ("levels", 1)}
    tables = hide(tables, "at_risk_by_group", 0, 1, 2, 3)
    assert audit(hide(tables, "levels", 0, 1), contract).findings == ()


def of_levels(counts, **more):
    left_out = ("gaps", "modal_level")
    return shown({k: v for k, v in by_level(counts, **more).items() if k not in left_out})


def test_a_level_of_a_group_is_found_by_the_sums_of_its_table(contract_of):
    fields = [dimension("track", 3), UNTOLD]
    contract = contract_of({**SMALL, "fields": fields})
    tables = of_levels([[30, 20, 3], [25, 30, 20], [40, 30, 35]])
    alone = audit(hide(tables, "level_by_group", 5), contract)
    assert found(alone) == {("level_by_group", 5)}
    of_a_row = audit(hide(tables, "level_by_group", 4, 5), contract)
    assert found(of_a_row) == {("level_by_group", 4), ("level_by_group", 5)}
    assert audit(hide(tables, "level_by_group", 4, 5, 7, 8), contract).findings == ()


def test_a_modal_level_that_hidden_levels_tell_is_found(contract_of):
    contract = contract_of({**SMALL, "fields": [dimension("track", 3), UNTOLD]})
    counts = [[30, 20, 3], [25, 30, 20], [40, 30, 35]]
    tables = of_levels(counts) | shown({"modal_level": by_level(counts)["modal_level"]})
    verdict = audit(hide(tables, "level_by_group", 4, 5, 7, 8), contract)
    assert {table for table, _ in found(verdict)} == {"modal_level"}


def test_a_low_level_of_a_group_is_found_by_its_students_at_risk(contract_of):
    contract = contract_of({**SMALL, "fields": [dimension("track", 3), THREE]})
    tables = of_levels([[3, 30, 20], [25, 30, 20], [40, 30, 35]])
    tables["mean_by_group"]["mean"] = 6.5
    tables = hide(tables, "level_by_group", 3, 4, 6, 7)
    assert ("level_by_group", 3) in found(audit(tables, contract))
    assert audit(hide(tables, "at_risk_by_group", 1, 2), contract).findings == ()


def test_levels_are_found_by_a_crossing_that_shows_two_groups_to_be_one(contract_of):
    """All but one student of p0 are in t0, so that their levels are nearly those of t0."""
    crossing = [["track", "place"]]
    fields = [dimension("track", 3), dimension("place", 3), UNTOLD]
    contract = contract_of({**SMALL, "fields": fields, "crossings": crossing})
    levels = [[30, 20, 3], [25, 30, 20], [40, 30, 35]]
    tables = shown(crossed([[53, 0, 0], [0, 75, 0], [0, 0, 105]])) | {
        "level_by_group": of_levels(levels)["level_by_group"]
    }
    places = tables["level_by_group"].replace({"track": "place"})
    places["level"] = places["level"].str.replace("t", "p")
    both = pd.concat([tables["level_by_group"], places.iloc[3:]], ignore_index=True)
    tables["level_by_group"] = both
    hidden = hide(tables, "level_by_group", 4, 5, 7, 8)  # the levels of p0 and p1 are shown
    assert {("level_by_group", row) for row in (4, 5, 7, 8)} == found(audit(hidden, contract))
    every = hide(hidden, "level_by_group", 13, 14, 16, 17)
    assert audit(every, contract).findings == ()


def test_students_at_risk_are_found_by_the_outcomes_of_flagging(contract_of):
    contract = contract_of({**SMALL, "fields": [dimension("track", 2), UNTOLD]})
    names = ("mean_by_group", "at_risk_by_group", "flagged_by_group")
    groups = ([3, 1, 10, 10], [20, 10, 10, 20])
    tables = shown({name: outcomes(*groups)[name] for name in names})
    tables = hide(tables, "at_risk_by_group", 1, 2)
    assert ("at_risk_by_group", 1) in found(audit(tables, contract))
    away = hide(tables, "flagged_by_group", *range(4, 12))
    assert audit(away, contract).findings == ()


def test_an_adjusted_gap_that_is_too_exact_is_found(contract):
    tables = figures([40, 30, 20])
    tables["mean_by_group"]["sd"] = 15.0
    rounded = tables["gaps"].assign(gap=[1.2, -0.1], ci_low=0.1, ci_high=None, note="")
    for gap, rows in ((1.2, set()), (1.23, {("adjusted_gaps", 0)})):
        rounded.loc[rounded.index[0], "gap"] = gap
        verdict = audit(shown(tables | {"adjusted_gaps": rounded}), contract)
        assert found(verdict) == rows


def test_a_gap_from_a_hidden_group_is_found(contract):
    tables = hide_group(shown(figures([9, 30, 20])), 1, 3)
    assert found(audit(tables, contract)) == {("gaps", 0), ("gaps", 1)}
    assert audit(hide(tables, "gaps", 2, 3), contract).findings == ()


def test_tables_that_contradict_each_other_are_refused(contract):
    tables = hide_group(one_way([9, 30, 20]), 1, 3)
    tables["mean_by_group"].loc[0, "n"] = 25
    tables["at_risk_by_group"].loc[0, "n"] = 25
    with pytest.raises(ExamsError, match="E323 The published tables contradict each other"):
        audit(tables, contract)


def test_a_group_is_found_by_two_versions_that_hide_different_groups(contract):
    """One student has come to t1. Each version is safe alone."""
    first = hide_group(one_way([9, 30, 20]), 1, 3)
    second = hide_group(one_way([9, 31, 20]), 1, 2)
    assert audit(first, contract).findings == audit(second, contract).findings == ()
    verdict = audit(second, contract, [Earlier(first)])
    assert ("mean_by_group", 1) in found(verdict)
    assert {f.attack for f in verdict.findings} == {"comparing versions"}
    same = hide_group(one_way([9, 31, 20]), 1, 3)
    assert audit(same, contract, [Earlier(first)]).findings == ()
    assert found(audit(first, contract, [Earlier(second)]))  # and where the student has left


@pytest.fixture
def five(contract_of):
    """Five tracks; one score with two levels."""
    return contract_of({**SMALL, "fields": [dimension("track", 5), SMALL["fields"][1]]})


def mixed():
    """Return two versions, each safe alone: one student has left t1, one has come to t3."""
    first = hide_group(one_way([9, 30, 20, 40, 25]), 1, 3)
    second = hide_group(one_way([9, 29, 20, 41, 25]), 1, 5)
    return first, second


def test_a_group_is_found_where_some_students_have_come_and_others_left(five):
    """Neither can have only grown or only shrunk; as few as can be, one each, have moved."""
    first, second = mixed()
    assert audit(first, five).findings == audit(second, five).findings == ()
    for told in (Earlier(first), Earlier(first, 1, 1)):
        verdict = audit(second, five, [told])
        assert {f.attack for f in verdict.findings} == {"comparing versions"}
        assert {("mean_by_group", 1), ("mean_by_group", 5)} <= found(verdict)
        assert ("mean_by_group", None) in found(verdict)  # t2 of the former version


@pytest.mark.parametrize(("moved", "given_away"), [(1, True), (3, True), (4, False), (8, False)])
def test_versions_that_may_differ_by_many_students_tell_little_of_each_other(
    five, moved, given_away
):
    """But for one on either side, they may all have left t2, which has 20 now, or come to it."""
    first, second = mixed()
    tables = [{"mean_by_group": of["mean_by_group"]} for of in (first, second)]
    verdict = audit(tables[1], five, [Earlier(tables[0], moved, moved)])
    assert bool(verdict.findings) == given_away


def test_a_reader_who_was_told_too_low_a_number_takes_it_for_the_lowest_that_fits(five):
    first, second = mixed()
    wrong, unknown = (audit(second, five, [Earlier(first, *n)]) for n in ((0, 0), (None, None)))
    assert wrong == unknown


def test_corrected_records_have_left_and_come(contract):
    """The audit is told what the counts of score values say: here one record of t1 was moved."""
    moved = changed(values(t0=[1], t1=[2, 5]), values(t0=[1, 5], t1=[2]), contract)
    told = Version(first := mixed()[0], moved).earlier
    assert (told.tables is first, told.came, told.went) == (True, 1, 1)
    assert (Version(first).earlier.came, Version(first).earlier.went) == (None, None)


def test_the_protector_starts_from_the_former_pattern(contract):
    first = protect(figures([9, 30, 20]), contract)
    alone = protect(figures([9, 19, 20]), contract)
    assert alone["mean_by_group"]["suppressed"].tolist() == [0, 1, 1, 0]
    again = protect(figures([9, 19, 20]), contract, [Version(first)])
    assert again["mean_by_group"]["suppressed"].tolist() == [0, 1, 0, 1]
    assert audit(again, contract, [Earlier(first)]).findings == ()
    grown = protect(
        figures([90, 190, 200]), contract, [Version(first)]
    )  # not the same quarter any more
    assert grown["mean_by_group"]["suppressed"].tolist() == [0, 0, 0, 0]


def test_publication_hides_the_smallest_neighbour_of_a_count_that_was_found(contract):
    unsafe = hide_group(one_way([9, 30, 20]), 1)
    tables, verdict = secure(unsafe, contract)
    assert verdict.findings == () and verdict.narrowest > 4
    assert tables["mean_by_group"]["suppressed"].tolist() == [0, 1, 0, 1]
    assert tables["at_risk_by_group"]["suppressed"].tolist() == [0, 1, 0, 1]


def test_publication_hides_whole_tables_where_neighbours_do_not_help(contract):
    """Three at risk in all: wherever they are, the total tells too much."""
    unsafe = hide(one_way([30, 40, 50], risk=[3, 0, 0]), "at_risk_by_group", 1)
    tables, _ = secure(unsafe, contract)
    assert tables["at_risk_by_group"]["suppressed"].tolist() == [1, 1, 1, 1]
    assert tables["mean_by_group"]["suppressed"].tolist() == [0, 0, 0, 0]


def test_publication_hides_the_levels_where_they_tell_the_students_at_risk(contract):
    """At risk are those of the lowest level: the total is told as long as that is shown."""
    unsafe = hide(
        one_way([30, 40, 50], risk=[2, 2, 0], levels=(4, 116)), "at_risk_by_group", 0, 1, 2
    )
    tables, _ = secure(unsafe, contract)
    assert all(tables["at_risk_by_group"]["suppressed"])
    assert all(tables["levels"]["suppressed"])
    assert not any(tables["mean_by_group"]["suppressed"])


def test_publication_fails_where_a_former_version_has_told_the_count(contract):
    careless = hide_group(one_way([9, 30, 20]), 1)  # in the total, and nowhere else
    with pytest.raises(ExamsError, match=r"E324 .*comparing versions: at_risk_by_group, mean_by"):
        secure(protect(figures([9, 30, 20]), contract), contract, [Version(careless)])


def test_the_ledger_remembers_each_version_once(tmp_path, contract):
    ledger = tmp_path / "ledger.db"
    assert read_ledger(ledger, "2024Q1") == []
    first, second = (protect(figures(n), contract) for n in ([9, 30, 20], [40, 30, 20]))
    for tables in (first, first, second):
        record(ledger, "2024Q1", tables, values(t0=[1, 1, 2]))
    record(ledger, "2024Q2", first, values(t0=[1]))
    versions = read_ledger(ledger, "2024Q1")
    assert [tables["mean_by_group"]["n"].isna().sum() for tables, _ in versions] == [2, 0]
    assert audit(second, contract, [Earlier(versions[0][0])]) == audit(
        second, contract, [Earlier(first)]
    )
    pd.testing.assert_frame_equal(versions[0][1], values(t0=[1, 1, 2]))
    assert ledger.stat().st_mode & 0o777 == 0o600


def values(**scores):
    """Return counts of the values of points, by track, of students in place p0."""
    rows = [("points", v, track, "p0") for track, given in scores.items() for v in given]
    frame = pd.DataFrame(rows, columns=["score", "steps", "track", "place"])
    return frame.value_counts(["track", "place", "score", "steps"], sort=False).reset_index(
        name="n"
    )


@pytest.mark.parametrize(
    ("now", "records"),
    [
        ({"t0": [1, 1, 2], "t1": [5]}, 0),
        ({"t0": [1, 1, 2, 3], "t1": [5]}, 1),  # came
        ({"t0": [1, 1, 3], "t1": [5]}, 1),  # corrected: counts once
        ({"t0": [1, 1], "t1": [5, 2]}, 2),  # went to another track
        ({"t0": [9, 9, 9]}, 4),
    ],
)
def test_records_that_came_went_or_were_corrected_are_counted(contract, now, records):
    found = changed(values(t0=[1, 1, 2], t1=[5]), values(**now), contract)
    assert found["changed"].sum() == records


def version(tables, *counts):
    """Return a version from which so many records of t0, t1 and t2 differ."""
    tracks = pd.DataFrame({"track": ["t0", "t1", "t2"], "place": "p0", "changed": counts})
    return Version(tables, tracks)


def test_a_correction_of_a_few_records_waits(contract):
    """Its mean would follow from the two means and counts."""
    last = protect(figures([30, 40, 50]), contract)
    for counts, waits in (((0, 0, 0), False), ((1, 0, 8), True), ((0, 0, 10), False)):
        former = [version(last, *counts)]
        assert held(former, contract) == waits
        tables = protect(figures([31, 40, 60]), contract, former)
        assert tables["mean_by_group"]["n"].tolist() == (
            [120, 30, 40, 50] if waits else [131, 31, 40, 60]
        )
        assert tables["gaps"]["suppressed"].tolist() == [0, 0]


def test_a_group_of_which_a_few_records_changed_is_hidden_with_another(contract):
    """3 of t0 and 20 of t2: the difference of all less that of t2 would describe the three."""
    last = protect(figures([30, 40, 50]), contract)
    tables = protect(figures([33, 40, 70]), contract, [version(last, 3, 0, 20)])
    assert tables["mean_by_group"]["suppressed"].tolist() == [0, 1, 1, 1]
    assert tables["at_risk_by_group"]["suppressed"].tolist() == [0, 1, 1, 1]
    tables = protect(figures([40, 40, 70]), contract, [version(last, 10, 0, 20)])
    assert not any(tables["mean_by_group"]["suppressed"])


def test_a_broken_ledger_stops_the_publication(tmp_path):
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(b"no database, whatever else it may be, and long enough to be one" * 20)
    with pytest.raises(ExamsError, match=r"E325 The private ledger\.db cannot be read"):
        read_ledger(ledger, "2024Q1")


# Levels of groups


def of_marks(groups, marks):
    """Return groups of t0, t1 by marks, each a level: means, deviations, levels."""
    rows, means = [], []
    for name, level, n in of_tracks(np.array(groups)):
        mean = float(marks @ n / n.sum())
        sd = float(((marks - mean) ** 2 @ n / (n.sum() - 1)) ** 0.5)
        means.append((name, level, "mark", int(n.sum()), mean, sd))
        rows += [(name, level, "mark", code, int(k)) for code, k in enumerate(n, 1)]
    columns = ["dimension", "level", "score", "n", "mean", "sd"]
    found = pd.DataFrame(rows, columns=["dimension", "level", "score", "code", "n"])
    return shown({"mean_by_group": pd.DataFrame(means, columns=columns), "level_by_group": found})


def marked(contract_of, size):
    """Return a contract with marks from 1 to `size`, each a level."""
    scale = {"name": "mark", "type": "integer", "role": "score"}
    scale["levels"] = list(range(1, size + 1))
    scale["constraints"] = {"required": True, "minimum": 1, "maximum": size}
    return contract_of({**SMALL, "fields": [dimension("track", 2), scale]})


def test_levels_of_a_group_are_found_by_its_mean_and_deviation(contract_of):
    """Sums alone leave a range of 7 at least: t0 and t1 hide three levels each."""
    contract = marked(contract_of, 5)
    tables = of_marks([[9, 20, 30, 12, 4], [20, 9, 14, 15, 13]], np.arange(1.0, 6))
    tables = hide(tables, "level_by_group", 7, 8, 9, 12, 13, 14)
    means = tables["mean_by_group"]
    safe = audit(tables | {"mean_by_group": means.drop(columns=["mean", "sd"])}, contract)
    assert safe.findings == ()
    verdict = audit(tables, contract)
    assert ("level_by_group", 9) in found(verdict)
    assert {f.attack for f in verdict.findings} == {"levels that fit to the mean"}


def test_a_mean_and_a_deviation_that_tell_a_level_alone_are_found(contract_of):
    """Three marks: their numbers follow from how many they are, their sum and their squares."""
    contract = marked(contract_of, 3)
    tables = of_marks([[10, 12, 4], [20, 15, 13]], np.arange(1.0, 4))
    tables = hide(tables, "level_by_group", *range(3, 9))
    assert found(audit(tables, contract)) == {("mean_by_group", 1)}
    tables = of_marks([[10, 12, 6], [20, 15, 13]], np.arange(1.0, 4))
    tables = hide(tables, "level_by_group", *range(3, 9))
    assert audit(tables, contract).findings == ()
