"""The model card: what it says of models, and what it does not say of students."""

from dataclasses import replace

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from given import SMALL
from office import QUARTER, Office
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from exams.stages.card import write_card
from exams.statistics.folded import AT_RISK, Folded

RATED = ["dimension", "level", "flagged"]
ESTIMATORS = {"baseline": DummyRegressor(), "linear": LinearRegression()}


def metrics(*rows):
    columns = ["target", "model", "metric", "n", "value", "ci_low", "ci_high", "beats"]
    return pd.DataFrame(
        [
            (target, model, "gain", 500, value, value, value, beats)
            for target, model, value, beats in rows
        ],
        columns=columns,
    )


def tables(prediction):
    return {
        "prediction": prediction,
        "explanation": pd.DataFrame(
            [("points", "track", 0.3, 0.2)], columns=["target", "dimension", "gain", "lost"]
        ),
        "calibration": pd.DataFrame([(1, 60, 6, 0.1)], columns=["bin", "n", "at_risk", "observed"]),
        "fairness": pd.DataFrame([("track", "<b>north</b> | x", 0.25)], columns=RATED),
        "fairness_gap": pd.DataFrame(
            [("track", "flagged", 0.42)], columns=["dimension", "metric", "difference"]
        ),
    }


@pytest.fixture
def written(tmp_path, contract_of):
    """Return a function that writes the card of such metrics and returns both of its texts."""
    contract = contract_of({**SMALL, "title": "Exam *of* <i>trades</i>"})
    office = Office(tmp_path, contract)
    office.deliver(all="track,points,mark\nnorth,3,4.5\n")
    office.build()
    cells = pd.DataFrame({"profile": [1], "fold": [0], "n": [500], "at_risk": [60]})

    def write(prediction, targets=("points", AT_RISK), rules=contract, **how):
        folded = Folded(rules, cells, dict.fromkeys(targets, cells))
        files = write_card(office.places, QUARTER, folded, ESTIMATORS, tables(prediction), **how)
        assert [f.name for f in files] == ["model_card.md", "model_card.html"]
        return [f.read_text() for f in files]

    return write


GOOD = [("points", "baseline", 0.0, 0), ("points", "linear", 0.314, 1)]
RISK = [(AT_RISK, "baseline", 0.0, 0), (AT_RISK, "linear", 0.159, 1)]


def test_the_card_says_first_what_the_models_are_not_for(written):
    text, page = written(metrics(*GOOD))
    assert text.splitlines()[2] == "**Do not use for decisions on a person.**"
    body = BeautifulSoup(page, "html.parser").main
    assert body.h1.find_next("p").text == "Do not use for decisions on a person."


def test_the_card_tells_data_features_metrics_and_limits(written):
    text, page = written(metrics(*GOOD, *RISK))
    assert "- 500 students, each in one of five folds" in text
    assert "version 1." in text and "`LinearRegression()`" in text
    assert "| Points | linear | gain | 0.314 | 0.314 | 0.314 |" in text
    assert "| Points | Track | 0.300 | 0.200 |" in text
    titles = [h.text.rstrip("¶") for h in BeautifulSoup(page, "html.parser").find_all("h2")]
    assert titles == [
        "Intended use", "Data", "Features", "Models", "Metrics", "What each dimension explains",
        "Calibration", "Fairness", "Fairness gaps", "Limits",
    ]  # fmt: skip
    assert len(BeautifulSoup(page, "html.parser").find_all("table")) == 5


def test_a_model_that_does_not_beat_its_baseline_has_no_figure(written):
    text, _ = written(metrics(GOOD[0], ("points", "linear", 0.0123, 0), *RISK))
    assert "Points: linear does not beat the baseline, and is not published." in text
    assert "0.012" not in text
    assert "0.300" not in text  # nor what its dimensions explain


def test_a_gain_whose_interval_includes_none_is_said_to_be_unsure(written):
    unsure = metrics(*GOOD, *RISK)
    said = "Being at risk: that linear removes any error is not sure."
    assert said not in written(unsure)[0]
    unsure.loc[unsure.index[-1], "ci_low"] = -0.01
    assert said in written(unsure)[0]


def test_without_a_model_of_risk_nobody_would_be_flagged(written):
    text, _ = written(metrics(*GOOD, RISK[0], (AT_RISK, "linear", 0.001, 0)))
    assert "0.420" not in text
    assert "north" not in text
    assert text.count("Nothing can be shown.") == 3


def test_too_few_students_are_not_counted(written):
    text, _ = written(metrics(), targets=())
    assert "Too few students" in text
    assert "500 students" not in text


def test_texts_of_contract_and_deliveries_stay_texts(written):
    text, page = written(metrics(*GOOD, *RISK))
    main = BeautifulSoup(page, "html.parser").main
    assert main.h1.text.startswith("Model card: Exam *of* <i>trades</i>, 2024Q1")
    assert "<b>north</b> | x" in [cell.text for cell in main.find_all("td")]
    assert main.find(["b", "i", "script"]) is None
    assert "<b>" not in text


def test_a_sensitive_field_is_named_as_one(written, small):
    track, *scores = small.fields
    rules = replace(small, fields=(replace(track, sensitive=True), *scores))
    text, _ = written(metrics(*GOOD), rules=rules)
    assert "- Track (sensitive): 2 levels" in text


def test_while_corrections_wait_the_card_stays_and_the_first_one_is_written(written):
    first = written(metrics(), targets=(), keep=True)
    assert "Too few students" in first[0]
    known = written(metrics(*GOOD))
    assert written(metrics(*RISK), keep=True) == known
    assert written(metrics(*RISK)) != known
