"""The page of reason codes: made from the rules, and as they are now."""

from pathlib import Path

from exams.intake.judging import codes
from exams.intake.judging.drift import CHANGES
from exams.intake.judging.judge import REASONS, REPAIRS

PAGE = Path(__file__).parents[1] / "docs/reason-codes.md"


def test_the_page_in_docs_is_the_one_that_the_rules_make():
    assert PAGE.read_text(encoding="utf-8") == codes.page()


def test_the_page_has_a_row_for_each_reason_repair_and_change():
    rows = [line.split("`")[1] for line in codes.page().splitlines() if line.startswith("| `")]
    assert rows == [*REASONS, *REPAIRS, *CHANGES]
