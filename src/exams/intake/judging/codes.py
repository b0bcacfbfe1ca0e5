"""The page docs/reason-codes.md: `python -m exams.intake.judging.codes > docs/reason-codes.md`."""

from collections.abc import Mapping

from exams.intake.judging.drift import CHANGES
from exams.intake.judging.judge import REASONS, REMEDIES, REPAIRS

_REASONS = """\
# Reason codes

Made by `python -m exams.intake.judging.codes` from src/exams/intake/; do not edit.

A record that cannot be taken goes to quarantine, with every reason that applies, each with its
column; `*` stands for the whole record. Correct the record and deliver it again, and it leaves
the quarantine.
"""
_REPAIRS = """\
## Repairs

What is changed in a value before it is taken, each counted and reported. A value that needs any
other change goes to quarantine: 72.5 where whole numbers are due, 72,0 or +72, 7e1, 72 %, 7 2,
½, the digits of other scripts, or a number beyond the field's bounds.
"""
_CHANGES = """\
## Changes from quarter to quarter

What `load` and `exams check` list when a quarter differs in form from the one before it. It holds
no value of any record.
"""


def page() -> str:
    """Return the page in Markdown."""
    reasons = {code: (meaning, REMEDIES[code]) for code, meaning in REASONS.items()}
    repairs = {code: (meaning,) for code, meaning in REPAIRS.items()}
    changes = {code: (meaning,) for code, meaning in CHANGES.items()}
    return "\n".join(
        [
            _REASONS,
            _table(("reason", "meaning", "what to do"), reasons),
            _REPAIRS,
            _table(("repair", "meaning"), repairs),
            _CHANGES,
            _table(("change", "meaning"), changes),
        ]
    )


def _table(heads: tuple[str, ...], rows: Mapping[str, tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *((f"`{code}`", *row) for code, row in rows.items())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    print(page(), end="")
