"""Receipts: what a stage made, for Ploomber, the status table and the stages after it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from exams.files import write_atomic
from exams.places import Places


def write_receipt(
    product: Mapping[str, str],
    places: Places,
    *,
    rows_in: int | None = None,
    rows_out: int | None = None,
    files: Iterable[Path] = (),
    content: str = "",
) -> dict[str, object]:
    """Write the receipt of a stage to product["receipt"], atomically, and return it.

    The product lies at <quarter>/<stage>.receipt.json and so names quarter and stage.
    `files` lists what later stages read (the receipt keeps path and bytes); `content` is a
    fingerprint of the result, equal for equal results.
    """
    path = Path(product["receipt"])
    made = [
        {"path": f.relative_to(places.data).as_posix(), "bytes": f.stat().st_size} for f in files
    ]
    receipt: dict[str, object] = {
        "stage": path.name.partition(".")[0],
        "quarter": path.parent.name,
        "rows_in": rows_in,
        "rows_out": rows_out,
        "content": content,
        "files": made,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(receipt, indent=1))
    return {key: value for key, value in receipt.items() if key not in ("files", "content")}


def fingerprint(*values: object) -> str:
    """Return the SHA-256 of values that JSON can hold."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
