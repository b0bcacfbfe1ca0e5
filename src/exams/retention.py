"""What is kept for longer than the retention period. It tells; nothing is deleted by itself."""

from datetime import date

from exams.intake.reading.arrivals import delivered
from exams.places import Places
from exams.quarters import quarter_of, shift


def expired(places: Places, years: int, today: date) -> list[tuple[str, str, str]]:
    """Return quarter, file and SHA-256 of the files whose quarter ended over `years` years ago."""
    oldest = shift(quarter_of(today), -4 * years)  # of this one, a day is within the period
    over = [quarter for quarter in places.delivered_quarters() if quarter < oldest]
    return [(quarter, *found) for quarter in over for found in delivered(places, quarter)]


def expired_lines(places: Places, years: int, today: date) -> list[str]:
    """Return a line per such file, and how each is deleted."""
    found = expired(places, years, today)
    if not found:
        return [f"No file is kept for longer than {_period(years)}."]
    width = max(len(file) for _, file, _ in found)
    lines = [f"{quarter}  {file:<{width}}  {sha256[:12]}" for quarter, file, sha256 in found]
    how = "`exams forget --delivery` and the digits delete one, with its records."
    return [*lines, f"Kept for longer than {_period(years)}. {how}"]


def notice(places: Places, years: int, today: date) -> list[str]:
    """Return a line for `exams status` if there is such a file."""
    number = len(expired(places, years, today))
    if not number:
        return []
    files = "1 file is" if number == 1 else f"{number:,} files are"
    said = f"{files} kept for longer than {_period(years)}"
    return ["", f"{said}: `exams forget --expired` lists {'it' if number == 1 else 'them'}."]


def _period(years: int) -> str:
    return "1 year" if years == 1 else f"{years} years"
