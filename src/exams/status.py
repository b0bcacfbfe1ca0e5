"""status.db: what happened, run by run. It records; Ploomber decides."""

from pathlib import Path
from typing import Any


def stage_status(path: Path) -> list[dict[str, Any]]:
    """Placeholder until merge."""
    return []
