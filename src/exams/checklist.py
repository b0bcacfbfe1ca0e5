"""What a check has found: as text for people, as JSON for programs. No value of any record."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from exams.check import HELD, REFUSED, REPEATED, RIGHT, Check, Checked
from exams.contract import Contract
from exams.errors import printable
from exams.intake.judging.identifiers import KEY, read_key

_KINDS = 12  # rows of a table that a screen has room for
_WORDS = 5  # header words that a sentence lists
_LONGEST = 40  # characters of a header word
_DETAIL = 120  # characters of a change
_INDENT = 15


def as_json(check: Check) -> str:
    """Return the check as JSON.

    quarter (or null), contract: {title, version, valid_from}, exit_code, files, and
    changes: {since, found: [{subject, change, detail}]}; `since` is the newest quarter loaded
    before, or null. Of a file: file, bytes, verdict (right, quarantine, refused, repeat), read_as,
    repeats, already_delivered, corrects, columns: {renamed: [{word, field}], ignored: [word],
    absent: [field]}, identifiers: [{field, loaded_as (pseudonym, or null)}], received,
    would_load, would_quarantine, share_quarantined, max_quarantined (null for a file that corrects
    others), quarantine: [{column, reason, records, lines (the first ones)}],
    repairs: [{column, repair, records}], refusal: {code, cause, remedy} or null. Every key is
    always there; what is not known, as the file was refused before, is null or empty. Whether
    the records that a file corrects are in quarantine is checked only with a quarter.
    """
    contract = check.contract
    found = {
        "quarter": check.quarter or None,
        "contract": {
            "title": contract.title,
            "version": contract.version,
            "valid_from": contract.valid_from or None,
        },
        "exit_code": check.exit_code,
        "files": [_record(file, contract) for file in check.files],
        "changes": {
            "since": check.former,
            "found": [
                {"subject": c.subject, "change": c.code, "detail": c.detail} for c in check.changes
            ],
        },
    }
    return json.dumps(found, indent=1)  # in ASCII: nothing in it drives a terminal


def _record(file: Checked, contract: Contract) -> dict[str, Any]:
    judged, header = file.judged, file.layout.header if file.layout else None
    return {
        "file": file.file,
        "bytes": file.bytes,
        "verdict": file.verdict,
        "read_as": _read_as(file) or None,
        "repeats": file.repeats or None,
        "already_delivered": file.present,
        "corrects": bool(header and header.corrects),
        "columns": {
            "renamed": [{"word": printable(w), "field": f} for w, f in _renamed(file)],
            "ignored": [printable(word) for word in header.ignored] if header else [],
            "absent": list(header.absent) if header else [],
        },
        "identifiers": [
            {"field": name, "loaded_as": "pseudonym" if read_key() else None}
            for name in _identifiers(file, contract)
        ],
        "received": judged and judged.received,
        "would_load": _would_load(file),
        "would_quarantine": judged and judged.quarantined,
        "share_quarantined": judged and judged.quarantined / judged.received,
        "max_quarantined": None if header and header.corrects else contract.max_quarantined,
        "quarantine": [
            {"column": c, "reason": r, "records": n, "lines": list(file.first[c, r])}
            for c, r, n in (judged.reasons if judged else ())
        ],
        "repairs": [
            {"column": c, "repair": r, "records": n}
            for c, r, n in (judged.repairs if judged else ())
        ],
        "refusal": file.refusal
        and {
            "code": file.refusal.code,
            "cause": file.refusal.message,
            "remedy": file.refusal.remedy,
        },
    }


def as_text(check: Check) -> str:
    """Return the check as lines for a terminal, at most a screen for each file."""
    contract = check.contract
    version = f"“{printable(contract.title)}”, version {printable(contract.version)}"
    quarter = f", for {check.quarter}" if check.quarter else ""
    lines = [f"Checked under the contract {version}{quarter}. Nothing is loaded."]
    for file in check.files:
        lines += ["", *_file_lines(file, check)]
    if check.former:
        lines += ["", *_change_lines(check)]
    if len(check.files) > 1:
        lines += ["", _summary(check.files)]
    if any(file.judged and file.judged.reasons for file in check.files):
        lines += ["", "docs/reason-codes.md says what each reason means, and what to do."]
    return "\n".join(lines)


def note(file: Checked) -> str:
    """Return in one sentence why not all of a file would load; nothing if all would."""
    if file.repeats:
        return f"It has the same bytes as {file.repeats}, and counts once."
    judged = file.judged
    if not judged or not judged.quarantined:
        return ""
    share = _percent(judged.quarantined / judged.received)
    held = f"{judged.quarantined:,} of {judged.received:,} records would go to quarantine ({share})"
    return f"{held}: `exams check` says why."


def _file_lines(file: Checked, check: Check) -> Iterator[str]:
    yield f"{file.file}: {_headline(file)}"
    if file.refusal:
        yield from _part(file.refusal.code, [file.refusal.message, file.refusal.remedy])
    if file.layout:
        yield from _part("read as", [f"{_read_as(file)}; {file.bytes:,} bytes"])
        yield from _part("columns", _column_lines(file, check))
        yield from _part("identifiers", _identifier_lines(file, check.contract))
    if file.judged:
        yield from _part("records", _count_lines(file, check.contract))
        yield from _part("quarantine", _quarantine_lines(file))
        yield from _part("repairs", _repair_lines(file))


def _headline(file: Checked) -> str:
    if file.verdict == REPEATED:
        return f"it has the same bytes as {file.repeats}, and counts once."
    if file.verdict == REFUSED:
        return "refused; nothing would be loaded."
    n = _would_load(file)
    loads = f"{n:,} record{'' if n == 1 else 's'} would load"
    if file.verdict == HELD and file.judged:
        return f"{loads}, {file.judged.quarantined:,} would go to quarantine."
    return f"all right, {loads}."


def _read_as(file: Checked) -> str:
    """Return how a file is read: its encoding may show only at its end."""
    if file.judged:
        return file.judged.delivery.read_as
    return file.layout.read_as if file.layout else ""


def _would_load(file: Checked) -> int:
    return file.judged.clean if file.judged and not file.refusal else 0


def _renamed(file: Checked) -> list[tuple[str, str]]:
    return list(file.layout.header.renamed) if file.layout else []


def _identifiers(file: Checked, contract: Contract) -> list[str]:
    places = file.layout.header.places if file.layout else {}
    return [field.name for field in contract.identifiers if field.name in places]


def _part(name: str, lines: Iterable[str]) -> Iterator[str]:
    for at, line in enumerate(lines):
        yield f"  {'' if at else name:<{_INDENT - 2}}{line}".rstrip()


def _column_lines(file: Checked, check: Check) -> Iterator[str]:
    header = file.layout.header if file.layout else None
    if not header:
        return
    fields = (*check.contract.kept, *check.contract.identifiers)
    found = sum(field.name in header.places for field in fields)
    yield f"{found} of the contract's {len(fields)} fields are there"
    if header.corrects:
        yield "its records stand for others, which are in quarantine"
        if not check.quarter:
            yield "whether these are, is checked with --quarter alone"
    if renamed := [f"{_word(word)} is {field}" for word, field in _renamed(file)]:
        yield f"read under another name: {_some(renamed)}"
    if header.ignored:
        yield f"ignored, as no field of the contract: {_some([_word(w) for w in header.ignored])}"
    if header.absent:
        yield f"not there, so without any value: {_some(header.absent)}"


def _identifier_lines(file: Checked, contract: Contract) -> Iterator[str]:
    for name in _identifiers(file, contract):
        if read_key():
            yield f"{name} would be loaded as a pseudonym"
        else:
            yield f"{name} would not be loaded, as {KEY} is not set"


def _count_lines(file: Checked, contract: Contract) -> Iterator[str]:
    judged = file.judged
    if not judged:
        return
    width = len(f"{judged.received:,}")
    yield f"{judged.received:>{width},} received"
    yield f"{judged.clean:>{width},} right"
    limit = f"; the limit is {_percent(contract.max_quarantined)}"
    if judged.quarantined:
        share = _percent(judged.quarantined / judged.received)
        limit = "" if judged.delivery.corrects else limit
        yield f"{judged.quarantined:>{width},} for the quarantine, {share}{limit}"
    if file.present:
        yield "The file lies in the quarter's folder already, with the same bytes."


def _quarantine_lines(file: Checked) -> list[str]:
    judged = file.judged
    rows = sorted(judged.reasons, key=lambda row: (-row[2], row)) if judged else []
    return _table(
        ("records", "column", "reason", "on lines"),
        [(f"{n:,}", c, r, _lines(file.first[c, r], n)) for c, r, n in rows],
    )


def _repair_lines(file: Checked) -> list[str]:
    judged = file.judged
    rows = sorted(judged.repairs, key=lambda row: (-row[2], row)) if judged else []
    return _table(("records", "column", "repair"), [(f"{n:,}", c, r) for c, r, n in rows])


def _change_lines(check: Check) -> Iterator[str]:
    if not check.changes:
        yield f"Nothing has changed in form since {check.former}."
        return
    yield f"What has changed in form since {check.former}, the newest quarter loaded before:"
    rows = [(_clipped(c.subject), c.code, _clipped(c.detail, _DETAIL)) for c in check.changes]
    yield from (f"  {line}" for line in _aligned(rows[:_KINDS]) + _more(rows, "changes"))


def _summary(files: Sequence[Checked]) -> str:
    said = {
        RIGHT: "all right",
        HELD: "with records for the quarantine",
        REFUSED: "refused",
        REPEATED: "like another one",
    }
    counts = {verdict: sum(f.verdict == verdict for f in files) for verdict in said}
    told = ", ".join(f"{n:,} {said[verdict]}" for verdict, n in counts.items() if n)
    return f"{len(files):,} files: {told}."


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a table, its first column to the right; nothing if it has no row."""
    if not rows:
        return []
    width = max(len(row[0]) for row in (head, *rows))
    shown = [(row[0].rjust(width), *row[1:]) for row in (head, *rows[:_KINDS])]
    return _aligned(shown) + _more(rows, "kinds")


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _more(rows: Sequence[object], what: str) -> list[str]:
    left = len(rows) - _KINDS
    return [f"and {left:,} more {what}; --json lists them"] if left > 0 else []


def _lines(first: Sequence[int], records: int) -> str:
    return ", ".join(f"{line:,}" for line in first) + (" …" if records > len(first) else "")


def _some(words: Sequence[str]) -> str:
    left = len(words) - _WORDS
    return ", ".join(words[:_WORDS]) + (f" and {left:,} more" if left > 0 else "")


def _word(word: str) -> str:
    return f"“{_clipped(word)}”"


def _clipped(text: str, longest: int = _LONGEST) -> str:
    text = printable(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _percent(share: float) -> str:
    return "under 0.1%" if 0 < share < 0.001 else f"{share:.1%}"
