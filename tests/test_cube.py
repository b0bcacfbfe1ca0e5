"""The cube: exact at any number of scores, at any place of a scale, in any split."""

import numpy as np
import pandas as pd
import pytest
from given import SMALL

from exams.contract import Contract, Field
from exams.errors import ExamsError
from exams.statistics.cube import Cube, pack, unpack

TRACK = Field("track", "Track", "", "dimension", levels=("north", "south"))


def contract(*scores):
    return Contract("c", "C", "1", "", (TRACK, *scores))


def score(name, low, high):
    return Field(name, name, "", "score", minimum=low, maximum=high)


def cube_of(rules, profile, **scores):
    cube = Cube.empty(rules)
    cube.add(np.array(profile), {name: (np.array(steps), None) for name, steps in scores.items()})
    return cube


def test_sums_count_the_steps_above_the_minimum():
    cube = cube_of(contract(score("a", 10, 20)), [0, 1, 1], a=[10, 12, 13])
    assert cube.n.tolist() == [1, 2]
    assert cube.moments["a", ""].tolist() == [0, 5]
    assert cube.moments["a", "a"].tolist() == [0, 13]
    assert cube.combinations()["a"].tolist() == [10, 12, 13]


def test_ten_scores_of_a_hundred_keep_their_combinations():
    names = [f"s{number}" for number in range(10)]
    rules = contract(*(score(name, 0, 100) for name in names))
    cube = cube_of(rules, [0, 0, 1], **{name: [90, 80, 90] for name in names})
    found = cube.combinations()
    assert {name: found[name].tolist() for name in names} == {name: [80, 90] for name in names}
    assert found["n"].tolist() == [1, 2]


@pytest.mark.parametrize("sizes", [[101, 7, 3], [10_001] * 6])
def test_packed_rows_come_back_in_order(sizes):
    rng = np.random.default_rng(1)
    rows = np.unique(np.column_stack([rng.integers(0, size, 500) for size in sizes]), axis=0)
    packed = pack(list(rows.T), sizes)
    assert (np.unique(packed) == packed).all()
    assert (np.column_stack(unpack(packed, sizes)) == rows).all()


@pytest.mark.parametrize("width", [1, 8])
def test_parts_add_up_to_the_whole(width, tmp_path):
    rng = np.random.default_rng(2)
    rules = contract(*(score(f"s{number}", 0, 500) for number in range(width)))
    profile = rng.integers(0, 2, 300)
    steps = {s.name: rng.integers(0, 501, 300) for s in rules.scores}
    whole, parts = cube_of(rules, profile, **steps), Cube.empty(rules)
    for part in np.array_split(np.arange(300), 7):
        parts.add(profile[part], {name: (values[part], None) for name, values in steps.items()})
    parts.save(tmp_path / "cube.npz")
    again = Cube.read(tmp_path / "cube.npz", rules)
    for name, values in whole.combinations().items():
        assert again.combinations()[name].tolist() == values.tolist()
    assert all((again.moments[pair] == total).all() for pair, total in whole.moments.items())


@pytest.mark.parametrize(
    ("sizes", "points", "remedy"),
    [
        ([99] * 5, 100, "Drop d0, d1 and d2 (role: ignore)."),
        (
            [2, 700, 900],
            100,
            "Drop d2 (role: ignore), or give d2 at most 283 levels, the others as synonyms.",
        ),
        (
            [50, 40, 30, 20],
            100,
            "Drop d0 (role: ignore), or give d0 at most 16 levels, the others as synonyms.",
        ),
        (
            [60_000],
            10_000,
            "Drop d0 (role: ignore), or give d0 at most 4987 levels, the others as synonyms.",
        ),
    ],
)
def test_a_contract_of_too_many_combinations_says_what_to_drop(sizes, points, remedy):
    dimensions = [
        Field(f"d{at}", "", "", "dimension", levels=tuple(map(str, range(size))))
        for at, size in enumerate(sizes)
    ]
    with pytest.raises(ExamsError, match="E306") as raised:
        Cube.empty(Contract("c", "C", "1", "", (*dimensions, score("a", 0, points))))
    assert raised.value.remedy == remedy


def test_a_contract_just_wide_enough_is_taken():
    dimensions = [
        Field("d", "", "", "dimension", levels=tuple(map(str, range(2)))),
        Field("e", "", "", "dimension", levels=tuple(map(str, range(2_000)))),
    ]
    rules = Contract("c", "C", "1", "", (*dimensions, score("a", 0, 10_000)))
    assert Cube.empty(rules).values["a"].size == 4_000 * 10_001


def test_a_scale_far_from_zero_is_refused(contract_of):
    far = {**SMALL["fields"][1], "constraints": {"minimum": 3_000_000, "maximum": 3_000_100}}
    with pytest.raises(ExamsError, match=r"points: a bound is over 1,000,000"):
        contract_of({**SMALL, "fields": [SMALL["fields"][0], far]})


def test_a_mean_on_a_scale_that_starts_high_is_exact(contract_of):
    frame = pd.Series([900_001, 900_004, 900_009])
    rules = contract(score("a", 900_000, 900_010))
    cube = cube_of(rules, [0, 0, 0], a=frame.to_numpy())
    total, n = int(cube.moments["a", ""][0]), int(cube.n[0])
    assert total / n + 900_000 == pytest.approx(frame.mean(), rel=1e-15)


@pytest.mark.parametrize("width", [1, 8])
def test_cubes_of_parts_add_up_to_the_whole_in_whatever_order(width):
    rng = np.random.default_rng(3)
    rules = contract(*(score(f"s{number}", 0, 500) for number in range(width)))
    profile, fold = rng.integers(0, 2, 300), rng.integers(0, 5, 300)
    steps = {s.name: rng.integers(0, 501, 300) for s in rules.scores}
    missing = rng.random(300) < 0.1

    def added(rows):
        cube = Cube.empty(rules)
        first, *others = steps
        found = {name: (steps[name][rows], None) for name in others}
        cube.add(profile[rows], {first: (steps[first][rows], missing[rows]), **found}, fold[rows])
        return cube

    whole, sum_ = added(np.arange(300)), Cube.empty(rules)
    for rows in (np.arange(200, 300), np.arange(0, 90), np.arange(90, 200)):
        sum_.merge(added(rows))
    for name in ("n", "complete", "at_risk", "packed", "packed_n"):
        assert (getattr(sum_, name) == getattr(whole, name)).all()
    for mine, expected in (
        (sum_.values, whole.values),
        (sum_.moments, whole.moments),
        (sum_.folds.sums, whole.folds.sums),
    ):
        assert mine.keys() == expected.keys()
        assert all((mine[key] == expected[key]).all() for key in mine)
