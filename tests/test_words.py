"""Where students stand, and whether tiers are clusters, in words."""

import pandas as pd
from given import SMALL

from exams.stages.notice import Findings
from exams.statistics.words import standing, tier_findings


def means(*rows):
    columns = ["dimension", "level", "score", "n", "mean", "sd", "ci_low", "ci_high"]
    return pd.DataFrame([("all", "all", *row) for row in rows], columns=columns)


def levels(*rows):
    frame = pd.DataFrame(rows, columns=["score", "code", "level", "n"])
    return frame.assign(share=frame["n"] / 10)


POINTS = ("points", 10, 6.25, 2.0, 5.0, 7.5)
NONE = ("mark", 0, *[float("nan")] * 4)
LOW, HIGH = ("points", 1, "0–4", 3), ("points", 2, "5–10", 7)


def test_every_score_has_its_mean_and_its_modal_level(small):
    assert standing(means(POINTS, NONE), levels(LOW, HIGH), small) == [
        "Points: 6.2 on average (95 % interval 5.0 to 7.5); the most students, 70%, are at 5–10.",
        "Mark: nobody has a score.",
    ]


def test_a_modal_level_is_not_told_where_a_level_is_hidden(small):
    [said] = standing(means(POINTS), levels(HIGH), small)
    assert said == "Points: 6.2 on average (95 % interval 5.0 to 7.5)."


def test_the_unit_of_the_contract_is_said(contract_of):
    track, points, mark = SMALL["fields"]
    rules = contract_of({**SMALL, "fields": [track, {**points, "unit": "credits"}, mark]})
    assert "6.2 credits on average" in standing(means(POINTS), levels(LOW, HIGH), rules)[0]


def choice(*rows):
    return pd.DataFrame(rows, columns=["k", "bic", "stability", "clusters"])


def test_tiers_of_a_continuum_are_called_that():
    said = tier_findings(choice((1, 900, 1, 0), (2, 950, 0.9, 0), (3, 990, 0.9, 0)), 3)
    assert said[0] == "Students form no clusters of their own: their scores are a continuum."
    assert "Of 2 to 3, 2 tiers have the lowest BIC, higher than that of one by 50;" in said[1]
    assert said[2] == "The 3 tiers cut this continuum at lines that we have drawn."


def test_clusters_that_lie_apart_are_called_that():
    said = tier_findings(choice((1, 900, 1, 0), (2, 850, 0.9, 1)), 2)
    assert said == [
        "Students form 2 clusters that lie apart: their BIC is lower than of one by 50."
    ]


def test_findings_are_a_list_in_a_report_in_which_words_stay_words():
    shown = Findings(["a <b>"])._repr_mimebundle_()
    assert shown == {"text/html": "<ul><li>a &lt;b&gt;</li></ul>", "text/plain": "a <b>"}
    assert Findings([])._repr_mimebundle_()["text/plain"] == "Too few students to show."
