"""What is over the retention period is told, and stays."""

from datetime import date

import pytest
from click.testing import CliRunner
from office import Office

from exams import project
from exams.cli import main
from exams.errors import ExamsError
from exams.retention import expired, expired_lines, notice

SHA256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of x


@pytest.fixture
def office(tmp_path, small):
    office = Office(tmp_path, small)
    office.deliver("2015Q4", old="x")
    office.deliver("2016Q1", newer="y")
    return office


@pytest.mark.parametrize(
    ("years", "today", "quarters"),
    [
        (10, date(2025, 12, 31), []),
        (10, date(2026, 1, 1), ["2015Q4"]),
        (10, date(2026, 3, 31), ["2015Q4"]),
        (10, date(2026, 4, 1), ["2015Q4", "2016Q1"]),
        (1, date(2017, 1, 1), ["2015Q4"]),
    ],
)
def test_a_quarter_is_over_the_period_years_after_its_last_day(office, years, today, quarters):
    assert [quarter for quarter, *_ in expired(office.places, years, today)] == quarters


def test_each_file_is_listed_with_what_deletes_it(office):
    assert expired_lines(office.places, 10, date(2026, 1, 1)) == [
        f"2015Q4  old.csv  {SHA256[:12]}",
        "Kept for longer than 10 years. `exams forget --delivery` and the digits delete one, with"
        " its records.",
    ]
    assert expired_lines(office.places, 11, date(2026, 1, 1)) == [
        "No file is kept for longer than 11 years."
    ]
    assert notice(office.places, 10, date(2026, 1, 1))[1].startswith("1 file is kept for longer")
    assert notice(office.places, 11, date(2026, 1, 1)) == []


@pytest.mark.parametrize("years", [0, -1, "ten", 1.5, True, None])
def test_a_setting_that_is_no_number_of_years_is_an_error(years):
    with pytest.raises(ExamsError, match=r"E004 env\.yaml: retention_years is no number"):
        project.retention_years({"retention_years": years})
    assert project.retention_years({}) == 10
    assert project.retention_years({"retention_years": 3}) == 3


def test_the_commands_list_and_delete_nothing(office, tmp_path, monkeypatch):
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "env.yaml").write_text("retention_years: 2")
    monkeypatch.chdir(tmp_path)
    listed = CliRunner().invoke(main, ["forget", "--expired"])
    assert (listed.exit_code, listed.output.count("\n")) == (0, 3)
    assert "2015Q4  old.csv" in listed.output
    assert "2 files are kept for longer than 2 years" in CliRunner().invoke(main, ["status"]).output
    assert len(office.places.delivered_quarters()) == 2
    assert CliRunner().invoke(main, ["forget"]).exit_code == 2
    both = CliRunner().invoke(main, ["forget", "--expired", "--delivery", SHA256])
    assert both.exit_code == 2
