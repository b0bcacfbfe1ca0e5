"""Points in time as tables and files have them."""

from datetime import UTC, datetime


def moment(time: datetime | None = None) -> str:
    """Return a time (now, if None) as text: ISO 8601 in UTC, seconds."""
    return (time or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
