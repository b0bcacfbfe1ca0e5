"""Finds the contract's fields in the header of a delivery."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from exams.contract import Contract
from exams.contract.words import plain
from exams.errors import ExamsError

# The columns that tell which record of which delivery a row corrects: with both, it does.
CORRECTS = ("quarantine_delivery", "quarantine_line")
# What a corrections file has beside the columns of the delivery, in this order.
ADDED = ("quarantine_file", *CORRECTS, "quarantine_reasons", "quarantine_text")


@dataclass(frozen=True)
class Header:
    """Columns of a file: `places` maps field names to their places, counted from 0.

    `words` are those of the file; `ignored` of them belong to no field, `renamed` pairs others
    with the field that they name by alias or title; `absent` are optional fields without a
    column. A file that `corrects` holds records of the quarantine, and places for CORRECTS.
    `lines` is how many physical lines the header takes up.
    """

    words: tuple[str, ...]
    places: dict[str, int]
    ignored: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    corrects: bool = False
    lines: int = 1

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.words)


def is_added(word: str) -> bool:
    """Say whether a header's word is one of those that corrections have of their own."""
    return plain(word) in ADDED


def names_of(contract: Contract) -> dict[str, str]:
    """Return which field each word names: names, titles and aliases, as `plain` has them."""
    return {
        plain(word): field.name
        for field in (*contract.kept, *contract.identifiers)
        for word in (field.name, field.title, *field.aliases)
    }


def fields_in(words: Sequence[str], contract: Contract) -> set[str]:
    """Return the fields that `words` name."""
    names = names_of(contract)
    return {names[plain(word)] for word in words if plain(word) in names}


def required(contract: Contract) -> set[str]:
    """Return the fields without which a file is refused."""
    return {f.name for f in (*contract.kept, *contract.identifiers) if f.required}


def match_header(words: Sequence[str], contract: Contract, file: str, lines: int = 1) -> Header:
    """Match header words with names, titles and aliases; case and punctuation do not count.

    Raise E102 if a required field is missing or any occurs twice, E122 for a column that a
    strict contract does not know.
    """
    names = names_of(contract)
    known = names | {word: word for word in ADDED}
    found = [known.get(plain(word)) for word in words]
    for name, count in Counter(found).items():
        if name is not None and count > 1:
            raise ExamsError("E102", f"{file}: column {name} occurs twice.", "Keep one of them.")
    fields = (*contract.kept, *contract.identifiers)
    absent = [field.name for field in fields if field.name not in found]
    missing = [name for name in absent if name in required(contract)]
    if missing:
        raise ExamsError(
            "E102",
            f"{file}: the header has no column {', '.join(missing)}.",
            "Deliver it, or add the header's word for it to the contract's aliases.",
        )
    corrects = all(name in found for name in CORRECTS)
    wanted = [*(f.name for f in fields), *(CORRECTS if corrects else ())]
    named = zip(words, found, strict=True)
    return Header(
        words=tuple(words),
        places={name: found.index(name) for name in wanted if name in found},
        ignored=_ignored(words, found, contract, file),
        renamed=tuple((w, f) for w, f in named if f is not None and plain(w) != plain(f)),
        absent=tuple(absent),
        corrects=corrects,
        lines=lines,
    )


def _ignored(
    words: Sequence[str], found: Sequence[str | None], contract: Contract, file: str
) -> tuple[str, ...]:
    """Return the words of columns that no field claims, not even one of role `ignore`."""
    expected = {
        plain(word)
        for field in contract.fields
        if field.role == "ignore"
        for word in (field.name, field.title, *field.aliases)
    }
    extra = tuple(
        word if plain(word) else f"column {place}"
        for place, (word, name) in enumerate(zip(words, found, strict=True), 1)
        if name is None and plain(word) not in expected
    )
    if extra and contract.strict:
        raise ExamsError(
            "E122",
            f"{file}: the contract is strict and knows no column {', '.join(extra[:10])}.",
            "Deliver it without, or add a field of role ignore to the contract.",
        )
    return extra
