"""Versions of the contract: which one is valid in which quarter."""

import pytest
import yaml
from given import SMALL

from exams.contract import contract_of
from exams.contract.versions import contract_files
from exams.errors import ExamsError
from exams.places import Places


@pytest.fixture
def places(tmp_path):
    return Places.of(tmp_path / "data", tmp_path / "reports")


def write(path, valid_from=None, content=SMALL):
    path.parent.mkdir(parents=True, exist_ok=True)
    dated = {} if valid_from is None else {"valid_from": valid_from}
    path.write_text(yaml.safe_dump({**content, "title": path.stem, **dated}))


def refusal(places, quarter="2020Q1"):
    with pytest.raises(ExamsError) as raised:
        contract_of(places, quarter)
    return raised.value


def test_a_contract_alone_and_undated_is_valid_in_every_quarter(places):
    write(places.contract)
    assert contract_of(places, "0001Q1").title == contract_of(places, "9999Q4").title == "contract"


@pytest.mark.parametrize(
    ("quarter", "title"),
    [
        ("2017Q4", "oldest"),
        ("2018Q1", "middle"),
        ("2019Q4", "middle"),
        ("2020Q1", "contract"),
        ("2031Q1", "contract"),
    ],
)
def test_a_quarter_is_under_the_newest_contract_that_had_begun(places, quarter, title):
    write(places.contract, "2020Q1")
    write(places.contracts / "oldest.yaml")
    write(places.contracts / "middle.yml", "2018Q1")
    (places.contracts / "notes.txt").write_text("no contract")
    assert contract_of(places, quarter).title == title


def test_beside_former_versions_the_present_one_needs_its_first_quarter(places):
    write(places.contract)
    write(places.contracts / "former.yaml", "2018Q1")
    error = refusal(places)
    assert (error.code, error.message[:19]) == ("E013", "data/contract.yaml:")
    write(places.contract, "2020Q1")
    assert contract_of(places, "2020Q1").valid_from == "2020Q1"


@pytest.mark.parametrize("start", [None, "2018Q1"])
def test_two_versions_from_the_same_quarter_are_refused_by_name(places, start):
    write(places.contract, "2020Q1")
    write(places.contracts / "a.yaml", start)
    write(places.contracts / "b.yaml", start)
    error = refusal(places)
    assert error.code == "E014"
    assert error.message.startswith("contracts/a.yaml and contracts/b.yaml are both ")


def test_a_quarter_before_every_contract_is_refused_by_name(places):
    write(places.contract, "2020Q1")
    error = refusal(places, "2019Q4")
    assert error.code == "E015"
    assert "2019Q4" in error.message and "2020Q1" in error.message


def test_a_mistake_in_a_version_stops_the_quarters_under_it_alone(places):
    write(places.contract, "2020Q1")
    write(places.contracts / "former.yaml", "2018Q1", {**SMALL, "colour": "red"})
    assert contract_of(places, "2020Q1").title == "contract"
    error = refusal(places, "2019Q1")
    assert error.code == "E010"
    assert error.message.startswith("contracts/former.yaml, top level: 'colour'")


@pytest.mark.parametrize("content", ["valid_from: 2018", "valid_from: soon", "title: [", ""])
def test_a_version_that_does_not_tell_its_first_quarter_stops_every_quarter(places, content):
    write(places.contract, "2020Q1")
    places.contracts.mkdir()
    (places.contracts / "former.yaml").write_text(content)
    error = refusal(places)
    assert error.code == "E010"
    assert error.message.startswith("contracts/former.yaml, ")


def test_a_contract_that_is_missing_or_a_folder_is_refused(places):
    assert refusal(places).code == "E011"
    places.contract.mkdir(parents=True)
    assert refusal(places).code == "E011"


def test_files_are_the_present_contract_and_then_the_former_ones(places):
    write(places.contracts / "b.yaml")
    write(places.contracts / "a.yml")
    write(places.contracts / ".draft.yaml")
    assert [f.name for f in contract_files(places)] == ["contract.yaml", "a.yml", "b.yaml"]
