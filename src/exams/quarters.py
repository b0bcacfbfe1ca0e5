"""Calendar quarters, written 2019Q1. As text they sort in time."""

import re
from datetime import date, timedelta
from typing import NamedTuple

from exams.errors import ExamsError

_PATTERN = re.compile(r"[0-9]{4}Q[1-4]")  # \d has digits of other scripts, too


class Timing(NamedTuple):
    """When quarters are built by themselves, and from when on one is late.

    `schedule`: a cron expression, five words, read in `time_zone`; `grace_days`: days after the
    end of a quarter within which it shall be published.
    """

    schedule: str = "0 2 1 1,4,7,10 *"
    time_zone: str = "UTC"
    grace_days: int = 30


def is_quarter(text: str) -> bool:
    """Say whether `text` is a quarter such as 2019Q1."""
    return _PATTERN.fullmatch(text) is not None


def check_quarter(text: str) -> str:
    """Return `text` if it is a quarter; raise E001 otherwise."""
    if not is_quarter(text):
        raise ExamsError("E001", f"{text!r} is not a quarter.", "Write it like 2019Q1.")
    return text


def quarter_of(day: date) -> str:
    """Return the quarter in which `day` lies."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def number_of(quarter: str) -> int:
    """Return a quarter as a number: 20191 for 2019Q1."""
    return int(quarter[:4]) * 10 + int(quarter[5])


def shift(quarter: str, by: int) -> str:
    """Return the quarter `by` quarters later (earlier, if negative)."""
    year, number = divmod(int(quarter[:4]) * 4 + int(quarter[5]) - 1 + by, 4)
    return f"{year:04}Q{number + 1}"


def last_complete(today: date, count: int) -> list[str]:
    """Return the last `count` quarters that had ended before `today`, oldest first."""
    now = quarter_of(today)
    return [shift(now, by) for by in range(-count, 0)]


def last_day(quarter: str) -> date:
    """Return the last day of a quarter."""
    after = shift(quarter, 1)
    return date(int(after[:4]), 3 * int(after[5]) - 2, 1) - timedelta(days=1)
