"""Whether a published quarter is provisional or revised, and which figures were corrected."""

from pathlib import Path
from typing import Any

from exams import published

PROVISIONAL, REVISED = "provisional", "revised"
REASONS = {
    "delivery": "A file was added, replaced or removed.",
    "contract": "The contract was changed.",
    "code": "A notebook, the package or a library was changed.",
    "earlier": "An earlier quarter, which it is compared with, was changed.",
    "unknown": "How the version before was made was not noted.",
}


def edition(database: Path, quarter: str) -> str:
    """Return provisional, or revised once a new version has changed a figure."""
    return REVISED if corrections(database, quarter) else PROVISIONAL


def corrections(database: Path, quarter: str) -> list[dict[str, Any]]:
    """Return the published rows of `revision` of a quarter, oldest version first."""
    return published.read(database, "revision", quarter)
