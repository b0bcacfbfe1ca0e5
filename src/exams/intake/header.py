"""Finds the contract's fields in the header of a delivery."""

from dataclasses import dataclass

from exams.contract import Contract
from exams.contract.words import plain
from exams.errors import ExamsError


@dataclass(frozen=True)
class Header:
    """Columns of a file: `places` maps field names to their places."""

    width: int
    places: dict[str, int]
    ignored: tuple[str, ...]
    lines: int = 1


def match_header(words: list[str], contract: Contract, file: str) -> Header:
    """Match header words with names, titles and aliases; case and punctuation do not count.

    Raise E102 if a field is missing or occurs twice.
    """
    wanted = {
        plain(word): field.name
        for field in contract.kept
        for word in (field.name, field.title, *field.aliases)
    }
    found: dict[str, int] = {}
    ignored = []
    for place, word in enumerate(words):
        name = wanted.get(plain(word))
        if name is None:
            ignored.append(word)
        elif name in found:
            raise ExamsError("E102", f"{file}: column {name} occurs twice.", "Keep one of them.")
        else:
            found[name] = place
    missing = [field.name for field in contract.kept if field.name not in found]
    if missing:
        raise ExamsError(
            "E102",
            f"{file}: the header has no column {', '.join(missing)}.",
            "Deliver comma-separated columns, or add the header's word to the contract's aliases.",
        )
    places = {field.name: found[field.name] for field in contract.kept}
    return Header(len(words), places, tuple(ignored))
