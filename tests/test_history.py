"""The history of models: of every quarter, with its lineage; a quarter replaces its own."""

import pandas as pd
import pytest
from given import SMALL
from office import Office

from exams.stages.model import measured, past, save_figures
from exams.warehouse.read import read_history
from exams.warehouse.schema import MODEL
from exams.warehouse.store import loaded_content
from exams.warehouse.withdraw import withdraw_quarter

pytestmark = pytest.mark.usefixtures("store")

FIRST, SECOND = "2024Q1", "2024Q2"


@pytest.fixture
def office(tmp_path, small):
    office = Office(tmp_path, small)
    for quarter in (FIRST, SECOND):
        office.deliver(quarter, all=f"track,points,mark\nnorth,{quarter[-1]},4.5\n")
        office.build(quarter)
    return office


def save(office, quarter, **metrics):
    figures = {t.name: pd.DataFrame(columns=[c.name for c in t.columns]) for t in MODEL}
    figures["model_history"] = measured("tiers", metrics)
    return save_figures(office.warehouse, office.contract, quarter, figures, "abc")


def history(office, quarter=SECOND):
    return read_history(office.warehouse, quarter).to_numpy().tolist()


def test_quarters_accumulate_with_their_lineage(office):
    save(office, FIRST, k=3)
    save(office, SECOND, k=2, bic=7.5)
    first, second = (loaded_content(office.warehouse, q) for q in (FIRST, SECOND))
    assert history(office) == [
        [FIRST, "tiers", "all", "k", 3, "1", first, "abc"],
        [SECOND, "tiers", "all", "k", 2, "1", second, "abc"],
        [SECOND, "tiers", "all", "bic", 7.5, "1", second, "abc"],
    ]
    assert history(office, FIRST) == history(office)[:1]


def test_a_rebuilt_quarter_replaces_its_own(office, contract_of):
    save(office, FIRST, k=3, bic=1.0)
    save(office, SECOND, k=3)
    former = history(office)
    office.contract = contract_of({**SMALL, "version": "2"})
    office.deliver(FIRST, all="track,points,mark\nsouth,9,1.5\n")
    office.build(FIRST)
    save(office, FIRST, k=2)
    content = loaded_content(office.warehouse, FIRST)
    assert history(office) == [[FIRST, "tiers", "all", "k", 2, "2", content, "abc"], former[-1]]


def test_a_withdrawn_quarter_leaves_the_history(office):
    save(office, FIRST, k=3)
    save(office, SECOND, k=3)
    withdraw_quarter(office.warehouse, FIRST)
    assert [row[0] for row in history(office)] == [SECOND]


def test_the_same_figures_have_the_same_fingerprint_whatever_made_them(office):
    one = save(office, FIRST, k=3)
    assert save(office, FIRST, k=3) == one
    assert save(office, FIRST, k=2) != one


def test_quarters_of_few_students_are_not_shown_beside_others(office):
    save(office, FIRST, k=3)
    save(office, SECOND, k=3)
    figures = {t.name: pd.DataFrame(columns=[c.name for c in t.columns]) for t in MODEL}
    few = [measured("means", {"n": n, "mean": 5.0}, "points") for n in (9, 10)]
    for quarter, means in zip((FIRST, SECOND), few, strict=True):
        figures["model_history"] = pd.concat([means, measured("tiers", {"k": 2})])
        save_figures(office.warehouse, office.contract, quarter, figures, "abc")
    found = past(office.warehouse, office.contract, SECOND)
    assert found[["quarter", "model", "metric"]].to_numpy().tolist() == [[SECOND, "tiers", "k"]]
