"""reports/data/: every published table as CSV, with a Data Package (v2) descriptor, and as a zip.

Source: https://datapackage.org/standard/data-package/. The visualize stage writes it, beside the
list of quarters: both span quarters and are made from what is published alone, so that neither
needs a way to the private side, and what a reader downloads is what the report shows.
"""

import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from exams import published
from exams.files import draft_of, locked, write_atomic
from exams.places import Places, made
from exams.schema import Column, Table
from exams.spreadsheet import safe

_TYPES = {"TEXT": "string", "INTEGER": "integer", "REAL": "number"}
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_LICENCE = {"name": "notspecified", "title": "Licence not specified: ask the exams office."}
ABOUT = (
    "Figures about groups of students, by quarter. Small groups and small counts are hidden, so"
    " that nobody can be recognised: such a cell is empty and its row is marked suppressed."
)
_SAFE = (
    " An apostrophe before a leading =, +, - or @ keeps spreadsheets from taking a text for a"
    " formula."
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: equal tables are equal bytes
_SOURCE = "delivery"  # the table of files that all figures come from


def write_package(places: Places) -> Path:
    """Write the data package anew from published.db, and its zip; return its descriptor.

    It is made beside the former one and takes its place whole. Raise E301 if nothing is
    published, E303 if that cannot be read.
    """
    with locked(places.reports / ".data.lock"):  # one build at a time
        files = package(places.published)
        draft = made(draft_of(places.package))
        try:
            for name, content in files.items():
                (draft / name).write_bytes(content)
            draft.chmod(0o755)
            _replace(places.package, draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        write_atomic(places.package_zip, zipped(files))
    return places.package / "datapackage.json"


def remove_package(places: Places) -> None:
    """Remove the data package and its zip, if they are there."""
    shutil.rmtree(places.package, ignore_errors=True)
    places.package_zip.unlink(missing_ok=True)


def package(database: Path) -> dict[str, bytes]:
    """Return the files of the package by name, the descriptor last."""
    tables = {table: published.read(database, table.name) for table in published.TABLES}
    files = {f"{table.name}.csv": _csv(table, rows) for table, rows in tables.items()}
    rows = {table.name: rows for table, rows in tables.items()}
    resources = [_resource(table, files[f"{table.name}.csv"]) for table in tables]
    latest = max((row["published_at"] for row in rows["publication"]), default=None)
    descriptor = {
        "$schema": _PROFILE,
        "name": "published-exam-results",
        "title": "; ".join(sorted({row["contract"] for row in rows["publication"]})),
        "description": ABOUT + _SAFE,
        **({"created": latest} if latest else {}),
        "licenses": [_LICENCE],
        "sources": [_source(row) for row in rows[_SOURCE]],
        "resources": resources,
    }
    text = json.dumps(descriptor, indent=2, ensure_ascii=False)
    return files | {"datapackage.json": text.encode()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of `files`: the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return buffer.getvalue()


def _csv(table: Table, rows: Iterable[Mapping[str, Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(column.name for column in table.columns)
    writer.writerows([_cell(row[c.name]) for c in table.columns] for row in rows)
    return buffer.getvalue().encode()


def _cell(value: object) -> object:
    """Return a value as CSV has it: nothing for null, numbers in full."""
    return safe(value) if isinstance(value, str) else value


def _resource(table: Table, content: bytes) -> dict[str, Any]:
    return {
        "name": table.name,
        "type": "table",
        "path": f"{table.name}.csv",
        "description": table.description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": {
            "fields": [_field(table, column) for column in table.columns],
            "primaryKey": list(table.key),
            "missingValues": [""],
        },
    }


def _field(table: Table, column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": _TYPES[column.type]}
    found["description"] = column.description
    if column.unit:
        found["unit"] = column.unit
    if column.name in table.key:
        found["constraints"] = {"required": True}
    return found


def _source(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a delivered file; the hash of one with very few records is not published."""
    found = {"title": f"{row['quarter']} {row['file']}"}
    return found | ({"hash": f"sha256:{row['sha256']}"} if row["sha256"] else {})


def _replace(folder: Path, draft: Path) -> None:
    """Put `draft` in the place of `folder`; a reader who has opened the former one keeps it."""
    former = draft.with_name(f"{draft.name}-former")
    try:
        if folder.exists():
            folder.rename(former)
        draft.rename(folder)
    finally:
        shutil.rmtree(former, ignore_errors=True)
