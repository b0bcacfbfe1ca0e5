"""Receipts: what a stage made, for Ploomber, the status table and the stages after it."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from exams.files import write_atomic
from exams.places import Places, private_key
from exams.progress import by_hand


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
    `files` lists what others read of this stage, below the data or the reports folder: the
    stage runs again if one is missing or has another size. `content` is a fingerprint of the
    result, equal for equal results.
    """
    path = Path(product["receipt"])
    receipt: dict[str, object] = {
        "stage": path.name.partition(".")[0],
        "quarter": path.parent.name,
        "rows_in": rows_in,
        "rows_out": rows_out,
        "content": content,
        "files": [_listed(file, places) for file in files],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(receipt, indent=1))
    if by_hand():
        print(
            f"Run by hand: this lies under {places.data.name}/ and counts in no report or status."
        )
    return {key: value for key, value in receipt.items() if key not in ("files", "content")}


def _listed(file: Path, places: Places) -> dict[str, object]:
    name = "reports" if file.is_relative_to(places.reports) else "data"
    path = file.relative_to(places.reports if name == "reports" else places.data)
    return {"in": name, "path": path.as_posix(), "bytes": file.stat().st_size}


def fingerprint(*values: object) -> str:
    """Return the SHA-256 of values that JSON can hold."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def private_fingerprint(folder: Path, *values: object) -> str:
    """Return a fingerprint that tells nothing of its values to whoever lacks the private key.

    Receipts may be seen; from a plain hash, a hidden count could be found by trying. `folder`
    is the private folder that holds the key.
    """
    text = json.dumps(values, sort_keys=True).encode()
    return hmac.new(private_key(folder), text, hashlib.sha256).hexdigest()
