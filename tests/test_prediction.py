"""Prediction from cells by fold: as from the records, honest about what it cannot do."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate
from given import SMALL
from office import QUARTER, Office
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from skops import io as skops

from conftest import ROOT
from exams.contract import Prediction
from exams.errors import ExamsError
from exams.places import Places
from exams.samples import draw
from exams.stages import predict
from exams.stages.findings import accounted
from exams.statistics.calibration import calibration, fairness, fairness_gaps, outcomes
from exams.statistics.cube import Cube
from exams.statistics.folded import AT_RISK, Folded, read_folded
from exams.statistics.folds import FOLDS, fold_of
from exams.statistics.prediction import fold_interval, scored
from exams.warehouse.schema import tables

pytestmark = pytest.mark.usefixtures("store")

SHA = "ade5869dba8b2d3e" + "0" * 48
RATES = {
    "flagged": selection_rate,
    "missed": false_negative_rate,
    "false_alarms": false_positive_rate,
}


# Folds


def test_the_fold_of_a_record_is_its_hash():
    def by_hand(line):
        mixed = line ^ int(SHA[:8], 16)
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            mixed = (mixed ^ mixed >> shift) * factor % 2**32
        return (mixed >> 16) * 5 >> 16

    lines = np.array([2, 3, 4, 1_000, 4_000_000_000])
    assert fold_of(SHA, lines).tolist() == [by_hand(line) for line in lines.tolist()]


def test_folds_are_alike_in_size_and_blind_to_the_order_of_a_file():
    lines = np.arange(2, 10_002)
    folds = fold_of(SHA, lines)
    counts = [np.bincount(folds[rows], minlength=FOLDS) for rows in (slice(None), lines % 5 == 0)]
    assert counts[0].tolist() == pytest.approx([2_000] * FOLDS, abs=150)
    assert counts[1].tolist() == pytest.approx([400] * FOLDS, abs=70)
    assert fold_of("1" + SHA[1:], lines).tolist() != folds.tolist()


def test_the_cube_counts_by_fold_also_where_scores_are_missing(contract_of, tmp_path):
    fields = [
        {**f, "constraints": {**f["constraints"], "required": False}} for f in SMALL["fields"]
    ]
    scores = [{**f, "decimals": 0, "type": "integer", "levels": [0]} for f in fields[1:]]
    scores = [{**f, "constraints": {"minimum": 0, "maximum": 10}} for f in scores]
    rules = contract_of({**SMALL, "fields": [fields[0], *scores], "overall": {"name": "both"}})
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"profile": rng.integers(0, 3, 400), "fold": rng.integers(0, FOLDS, 400)})
    for name in ("points", "mark"):
        rows[name] = rng.integers(0, 11, 400)
    gone = pd.DataFrame({name: rng.random(400) < 0.2 for name in ("points", "mark")})
    gone[:100] = False  # a part without a missing score
    cube = Cube.empty(rules)
    for part in np.split(np.arange(400), 4):
        taken, away = rows.iloc[part], gone.iloc[part]
        given = {
            n: (taken[n].to_numpy(), away[n].to_numpy() if away[n].any() else None) for n in gone
        }
        cube.add(taken["profile"].to_numpy(), given, taken["fold"].to_numpy())
    cube.save(tmp_path / "cube.npz")
    sums = Cube.read(tmp_path / "cube.npz", rules).folds.sums
    assert (sums["", "n"].sum(axis=1) == cube.n).all()
    assert (sums["", "at_risk"].sum(axis=1) == cube.at_risk).all()
    seen = rows.mask(gone.reindex(columns=rows.columns, fill_value=False))
    seen["both"] = seen["points"] + seen["mark"]
    for name in ("points", "mark", "both"):
        values = seen.dropna(subset=name).groupby(["profile", "fold"])[name]
        known = values.agg(n="count", total="sum", squares=lambda v: (v**2).sum())
        for kind in known:
            for (profile, fold), value in known[kind].items():
                assert sums[name, kind][profile, fold] == value


# As from the records


class Quarter:
    """A quarter, its rows as they were loaded, with their folds, and its cells."""

    def __init__(self, folder, contract, size):
        office = Office(folder, contract)
        sample = json.loads((ROOT / "data/sample.json").read_text())
        rows = pd.DataFrame(draw(sample, size, np.random.default_rng(size), {}))
        office.deliver(all=rows.to_csv(index=False))
        office.build()
        with closing(sqlite3.connect(office.warehouse)) as connection:
            (sha,) = connection.execute("SELECT sha256 FROM delivery").fetchone()
        scores = [s.name for s in contract.scores]
        rows["fold"] = fold_of(sha, np.arange(2, size + 2))
        rows["average_score"] = rows[scores].mean(axis="columns")
        rows["at_risk"] = (rows[scores] < 50).any(axis="columns").astype(int)
        self.rows, self.office = rows, office
        self.folded = read_folded(office.warehouse, contract, QUARTER)
        self.names = [d.name for d in contract.dimensions]
        self.background = pd.get_dummies(self.folded.cells[self.names])
        self.of_rows = pd.get_dummies(rows[self.names])

    def by_cells(self, model, target):
        of = self.folded.targets[target]
        split = PredefinedSplit(self.folded.cells["fold"])
        weights = {"sample_weight": of["n"]}
        return cross_val_predict(model, self.background, of["mean"], cv=split, params=weights)

    def by_rows(self, model, target, **how):
        split = PredefinedSplit(self.rows["fold"])
        return cross_val_predict(model, self.of_rows, self.rows[target], cv=split, **how)

    def chances(self, model):
        cells = self.folded.cells
        both = pd.concat([self.background, self.background])
        outcome = np.repeat([1, 0], len(cells))
        weight = np.concatenate([cells["at_risk"], cells["n"] - cells["at_risk"]])
        split = PredefinedSplit(np.tile(cells["fold"], 2))
        found = cross_val_predict(
            model, both, outcome, cv=split, method="predict_proba", params={"sample_weight": weight}
        )
        return found[: len(cells), 1]

    def to_rows(self, predicted):
        cells = self.folded.cells.assign(predicted=predicted)
        keys = [*self.names, "fold"]
        return self.rows[keys].merge(cells, on=keys, how="left")["predicted"].to_numpy()


LOGISTIC = LogisticRegression(solver="newton-cholesky", tol=1e-12)


@pytest.fixture(scope="module", params=[1_000, 200_000])
def quarter(request, shipped, tmp_path_factory):
    return Quarter(tmp_path_factory.mktemp("quarter"), shipped, request.param)


@pytest.fixture(scope="module")
def thousand(shipped, tmp_path_factory):
    return Quarter(tmp_path_factory.mktemp("thousand"), shipped, 1_000)


def metric(found, target, model, name):
    row = found[(found["target"] == target) & (found["model"] == model) & (found["metric"] == name)]
    return row["value"].item()


@pytest.mark.parametrize("target", ["math_score", "average_score"])
def test_models_of_cells_predict_and_err_as_models_of_records(quarter, target):
    predicted = {}
    models = {"baseline": DummyRegressor(), "linear": LinearRegression(), "ridge": Ridge(alpha=10)}
    for name, model in models.items():
        predicted[target, name] = quarter.by_cells(model, target)
        known = quarter.by_rows(model, target)
        assert quarter.to_rows(predicted[target, name]) == pytest.approx(known, rel=1e-9)
    found = scored(quarter.folded, predicted)
    errors = {
        name: mean_squared_error(quarter.rows[target], quarter.to_rows(predicted[target, name]))
        for name in models
    }
    for name in ("linear", "ridge"):
        gain = 1 - errors[name] / errors["baseline"]
        assert metric(found, target, name, "gain") == pytest.approx(gain, rel=1e-9)
        rmse = errors[name] ** 0.5
        assert metric(found, target, name, "rmse") == pytest.approx(rmse, rel=1e-9)
    assert found["n"].unique().tolist() == [len(quarter.rows)]


def test_chances_of_being_at_risk_are_those_of_the_records(quarter):
    predicted = {(AT_RISK, "baseline"): quarter.chances(DummyClassifier())}
    predicted[AT_RISK, "logistic"] = quarter.chances(LOGISTIC)
    known = quarter.by_rows(LOGISTIC, "at_risk", method="predict_proba")[:, 1]
    assert quarter.to_rows(predicted[AT_RISK, "logistic"]) == pytest.approx(known, rel=1e-8)
    found, outcome = scored(quarter.folded, predicted), quarter.rows["at_risk"]
    assert metric(found, AT_RISK, "logistic", "log_loss") == pytest.approx(log_loss(outcome, known))
    brier = mean_squared_error(outcome, known)
    assert metric(found, AT_RISK, "logistic", "brier") == pytest.approx(brier, rel=1e-8)
    auc = [
        roc_auc_score(outcome[rows], known[rows])
        for rows in (quarter.rows["fold"] == fold for fold in range(FOLDS))
    ]
    assert metric(found, AT_RISK, "logistic", "auc") == pytest.approx(np.mean(auc), rel=1e-6)
    assert metric(found, AT_RISK, "baseline", "auc") == pytest.approx(0.5)


def test_the_interval_over_folds_is_that_of_nadeau_and_bengio():
    low, high = fold_interval(0.3, pd.Series([0.2, 0.25, 0.3, 0.35, 0.4]))
    half = 2.7764451 * (0.00625 * (1 / 5 + 1 / 4)) ** 0.5
    assert [low, high] == pytest.approx([0.3 - half, 0.3 + half], rel=1e-6)
    assert np.isnan(fold_interval(0.3, pd.Series([0.3]))).all()


# Honesty


def folded_of(contract, means, spread, *, minimum_gain=0.02):
    """Return cells of two tracks in five folds, 100 students each with these mean points."""
    rows = [(p, t, f) for p, t in enumerate(("north", "south")) for f in range(FOLDS)]
    cells = pd.DataFrame(rows, columns=["profile", "track", "fold"]).assign(n=100, at_risk=20)
    of = pd.DataFrame({"n": 100.0, "mean": np.repeat(means, FOLDS), "squares": 100.0 * spread**2})
    rules = replace(contract, prediction=Prediction(minimum_gain=minimum_gain))
    return Folded(rules, cells, {"points": of})


def cross_validated(folded):
    split = PredefinedSplit(folded.cells["fold"])
    features = pd.get_dummies(folded.cells[["track"]])
    return {
        (target, name): cross_val_predict(
            model, features, of["mean"], cv=split, params={"sample_weight": of["n"]}
        )
        for target, of in folded.targets.items()
        for name, model in {"baseline": DummyRegressor(), "linear": LinearRegression()}.items()
    }


@pytest.mark.parametrize(("minimum", "beats"), [(0.05, 1), (0.06, 0)])
def test_a_model_must_beat_the_baseline_by_the_margin_of_the_contract(small, minimum, beats):
    """Means of 4 and 6 with a variance of 18 around them: of 19 in all, 1 is explained."""
    folded = folded_of(small, [4.0, 6.0], 18**0.5, minimum_gain=minimum)
    found = scored(folded, cross_validated(folded))
    assert metric(found, "points", "linear", "gain") == pytest.approx(1 / 19)
    assert found.set_index(["model", "metric"])["beats"].to_dict() == {
        ("baseline", "gain"): 0,
        ("baseline", "rmse"): 0,
        ("linear", "gain"): beats,
        ("linear", "rmse"): beats,
    }


def test_a_target_without_a_baseline_is_refused(small):
    folded = folded_of(small, [4.0, 6.0], 2.0)
    predicted = cross_validated(folded)
    del predicted["points", "baseline"]
    with pytest.raises(ExamsError, match="E312 Nothing is predicted for points"):
        scored(folded, predicted)


def test_only_models_that_beat_the_baseline_are_saved_and_none_by_pickle(small, tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    folded = folded_of(small, [4.0, 6.0], 2.0)
    features, of = pd.get_dummies(folded.cells[["track"]]), folded.targets["points"]
    model = LinearRegression().fit(features, of["mean"], sample_weight=of["n"])
    fitted = {("points", "linear"): model}
    (file,) = predict.save_models(places, QUARTER, fitted, scored(folded, cross_validated(folded)))
    assert file.name == "points-linear.skops"
    assert skops.get_untrusted_types(file=file) == []
    assert skops.load(file).predict(features) == pytest.approx(model.predict(features))
    poor = folded_of(small, [5.0, 5.0], 2.0)
    assert predict.save_models(places, QUARTER, fitted, scored(poor, cross_validated(poor))) == []
    assert list(places.models(QUARTER).iterdir()) == []


class Own(RegressorMixin, BaseEstimator):
    """An estimator that is not of scikit-learn."""


def test_a_model_that_must_be_trusted_to_be_opened_is_not_saved(small, tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    folded = folded_of(small, [4.0, 6.0], 2.0)
    metrics = scored(folded, cross_validated(folded))
    with pytest.raises(ExamsError, match=r"E311 The model linear holds test_prediction\.Own"):
        predict.save_models(places, QUARTER, {("points", "linear"): Own()}, metrics)
    assert list(places.models(QUARTER).iterdir()) == []


def test_no_student_is_predicted_unless_the_contract_says_so(thousand):
    assert len(predict.of_students(thousand.folded, Ridge())) == 0


def turned_on(folded, **sensitive):
    """Return the cells under a contract that wants predictions for students."""
    fields = tuple(
        replace(f, sensitive=sensitive.get(f.name, f.sensitive)) for f in folded.contract.fields
    )
    rules = replace(folded.contract, fields=fields, prediction=Prediction(per_student=True))
    return replace(folded, contract=rules)


def test_students_who_differ_in_sensitive_fields_alone_are_predicted_alike(thousand):
    found = predict.of_students(turned_on(thousand.folded), Ridge())
    found = found.merge(thousand.folded.cells.drop_duplicates("profile"), on="profile")
    assert len(found) == 4 * thousand.folded.cells["profile"].nunique()
    by_course = found.groupby(["target", "test_preparation_course"])["predicted"]
    assert by_course.nunique().unique().tolist() == [1]
    assert found.groupby("target")["predicted"].nunique().unique().tolist() == [2]


def test_with_sensitive_fields_alone_students_are_not_predicted(thousand):
    folded = turned_on(thousand.folded, test_preparation_course=True)
    with pytest.raises(ExamsError, match="E310 Every dimension is sensitive"):
        predict.of_students(folded, Ridge())


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"minimum_gain": 1}, r"E010 .* prediction, minimum_gain: it is 1\."),
        ({"per_student": "yes"}, r"E010 .* prediction: per_student is not true or false"),
    ],
)
def test_a_setting_of_prediction_that_cannot_be_is_refused(contract_of, wish, message):
    with pytest.raises(ExamsError, match=message):
        contract_of({**SMALL, "prediction": wish})


def test_too_few_students_are_not_modelled(small, tmp_path):
    office = Office(tmp_path, small)
    office.deliver(all="track,points,mark\n" + "north,3,4.5\nsouth,5,2.0\n" * 20)
    office.build()
    folded = read_folded(office.warehouse, small, QUARTER)
    assert dict(folded.targets) == {}
    assert scored(folded, {}).empty
    assert calibration(folded, None).empty


# Calibration and fairness


def test_bins_hold_about_a_tenth_each_and_none_is_small(quarter):
    chance = quarter.chances(LOGISTIC)
    found = calibration(quarter.folded, chance)
    rules = quarter.folded.contract.disclosure
    assert 5 <= len(found) <= 10
    assert found["n"].sum() == len(quarter.rows)
    assert found["at_risk"].sum() == quarter.rows["at_risk"].sum()
    assert (found["at_risk"] >= rules.minimum_count).all()
    assert (found["n"] - found["at_risk"] >= rules.minimum_count).all()
    assert found["predicted"].is_monotonic_increasing
    assert ((found["predicted"] - found["observed"]).abs() < 0.15).all()


def test_rates_by_group_are_those_of_fairlearn_on_the_records(thousand):
    rows = thousand.rows
    flagged = thousand.to_rows(thousand.chances(LOGISTIC)) > rows["at_risk"].mean()
    cells = thousand.folded.cells
    outcome = np.repeat([1, 0], len(cells))
    weight = np.concatenate([cells["at_risk"], cells["n"] - cells["at_risk"]])
    picked = np.tile(thousand.chances(LOGISTIC) > rows["at_risk"].mean(), 2)
    frame = MetricFrame(
        metrics=RATES, y_true=outcome, y_pred=picked, sensitive_features=np.tile(cells["lunch"], 2),
        sample_params={name: {"sample_weight": weight} for name in RATES},
    )  # fmt: skip
    found = fairness(thousand.folded, {"lunch": frame.by_group}).set_index("level")
    known = MetricFrame(
        metrics=RATES, y_true=rows["at_risk"], y_pred=flagged, sensitive_features=rows["lunch"]
    ).by_group
    for name in RATES:
        assert found[name].to_dict() == pytest.approx(known[name].to_dict(), rel=1e-12)
    assert found["n"].to_dict() == rows["lunch"].value_counts().to_dict()


def rated(*groups):
    """Return groups of a track: n, at_risk, missed, false alarms, as counts."""
    rows = [
        ("track", f"t{place}", n, k, 0.3, missed / k, alarms / (n - k))
        for place, (n, k, missed, alarms) in enumerate(groups)
    ]
    columns = ["dimension", "level", "n", "at_risk", *RATES]
    return pd.DataFrame(rows, columns=columns)


def test_outcomes_are_the_counts_behind_the_rates(thousand):
    rows = thousand.rows
    chance = thousand.chances(LOGISTIC)
    flagged = thousand.to_rows(chance) > rows["at_risk"].mean()
    frame = MetricFrame(
        metrics=RATES, y_true=rows["at_risk"], y_pred=flagged, sensitive_features=rows["lunch"]
    )
    found = outcomes(fairness(thousand.folded, {"lunch": frame.by_group}))
    counts = found.set_index(["level", "outcome"])["n"]
    names = {(1, True): "caught", (1, False): "missed"}
    names |= {(0, True): "false alarm", (0, False): "cleared"}
    known = pd.Series(zip(rows["at_risk"], flagged, strict=True)).map(names)
    assert counts["all"].to_dict() == known.value_counts().to_dict()
    for level, part in known.groupby(rows["lunch"].to_numpy()):
        assert counts[level].to_dict() == part.value_counts().to_dict()
    assert found.groupby("level")["share"].sum().to_dict() == pytest.approx(
        dict.fromkeys(["all", *rows["lunch"].unique()], 1.0)
    )


def test_outcomes_of_nobody_are_no_rows():
    assert outcomes(rated().astype(float)).empty


def test_gaps_are_the_highest_rate_less_the_lowest():
    found = rated((40, 20, 10, 10), (40, 20, 5, 10)).assign(flagged=[0.1, 0.5])
    gaps = fairness_gaps(found).set_index("metric")["difference"]
    assert gaps.to_dict() == pytest.approx({"flagged": 0.4, "missed": 0.25, "false_alarms": 0.0})
    assert fairness_gaps(found.head(0)).empty


# What is published


def test_a_model_that_does_not_beat_its_baseline_is_not_published(small):
    folded = folded_of(small, [4.0, 6.0], 2.0)
    found = scored(folded, cross_validated(folded))
    poor = folded_of(small, [5.0, 5.0], 2.0)
    failed = scored(poor, cross_validated(poor)).assign(target="mark")
    published = predict.worthy(pd.concat([found, failed], ignore_index=True))
    assert published["target"].unique().tolist() == ["points"]
    assert published["model"].unique().tolist() == ["baseline", "linear"]
    assert "no model is published" in predict.sentences(failed, small)[0]


def test_what_a_dimension_gains_alone_and_what_is_lost_without_it(small):
    """Means of 4 and 6 by track with a variance of 9 around them: 1 of 10 is explained."""
    folded = folded_of(small, [4.0, 6.0], 3.0)
    whole = cross_validated(folded)
    apart = {
        ("points", "only", "track"): whole["points", "linear"],
        ("points", "without", "track"): whole["points", "baseline"],
    }
    (row,) = predict.explained(folded, whole, apart, "linear").to_dict("records")
    assert (row["target"], row["dimension"]) == ("points", "track")
    assert [row["gain"], row["lost"]] == pytest.approx([0.1, 0.1])


def test_what_background_accounts_for_is_said_in_words():
    gains = pd.DataFrame({"target": ["Points", "Points", "Mark"], "value": [0.2, 0.24, 0.31]})
    assert accounted(gains).startswith("Background accounts for 24% to 31%")
    assert accounted(gains.head(1)).startswith("Background accounts for 20% of")
    assert accounted(gains.head(0)) == "Background tells little of any score"


def test_every_table_on_prediction_says_what_it_is_not_for(office_of_tables):
    told = ("prediction", "explanation", "calibration", "flagged_by_group")
    for name in (*told, "fairness", "fairness_gap", "student_prediction"):
        assert office_of_tables[name].endswith("Do not use for decisions on a person."), name


@pytest.fixture
def office_of_tables(small):
    return {table.name: table.description for table in tables(small)}
