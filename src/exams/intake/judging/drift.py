"""What has changed in form from one quarter to the next: fields, columns, levels, scales."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from exams.contract import Field
from exams.contract.words import plain
from exams.warehouse.form import Form

CHANGES = {
    "field_added": "The contract has a new field.",
    "field_removed": "The contract has lost a field.",
    "role_changed": "The field has another role in the contract.",
    "scale_changed": "The score has another scale in the contract.",
    "level_added": "The dimension has a new level in the contract.",
    "level_removed": "The dimension has lost a level in the contract.",
    "column_renamed": "A file has the field under a word that no file had before.",
    "column_added": "A file has a column that no file had before.",
    "column_gone": "No file has a column that one had before.",
    "unknown_level": "Values are no level of the dimension: more different ones than before, or "
    "in over twice as many records.",
    "range_shifted": "The highest score, counted from the scale's minimum, is under half or over "
    "twice the former one, though the scale is the same: was another one delivered?",
    "more_changes": "There are more changes than can be listed.",
}
MOST = 50  # changes that are listed: a file may have thousands of columns
_WORD = 80  # characters of a header's word that are shown


class Change(NamedTuple):
    """A change of a field, or of a column that no field claims.

    `detail` is published: it holds no value of a record, whether refused or taken.
    """

    subject: str
    code: str
    detail: str


def changes(before: Form, now: Form) -> list[Change]:
    """Return what differs: the fields in the contract's order, then what is in no contract.

    Where there are more than MOST changes, the last one says so.
    """
    return _listable(field_changes(before, now) + _unclaimed(before, now))


def field_changes(before: Form, now: Form) -> list[Change]:
    """Return every change of the contracts' fields, and of the columns and values they have."""
    former = {field.name: field for field in before.fields}
    found: list[Change] = []
    for field in now.fields:
        old = former.pop(field.name, None)
        if old is None:
            found.append(Change(field.name, "field_added", f"Its role is {field.role}."))
        elif old.role != field.role:
            detail = f"Its role is {field.role}; it was {old.role}."
            found.append(Change(field.name, "role_changed", detail))
        else:
            found += [*_rules(old, field), *_words(field.name, before, now)]
            found += [*_unknown(field.name, before, now), *_range(old, field, before, now)]
    found += [Change(f.name, "field_removed", f"Its role was {f.role}.") for f in former.values()]
    return found


def _listable(found: list[Change]) -> list[Change]:
    """Return the first changes; the last of them says how many more there are."""
    if len(found) <= MOST:
        return found
    more = f"{len(found) - MOST + 1:,} more, of the columns that come last."
    return [*found[: MOST - 1], Change("*", "more_changes", more)]


def _rules(old: Field, new: Field) -> Iterator[Change]:
    if _scale(old) != _scale(new):
        yield Change(new.name, "scale_changed", f"It is {_scale(new)}; it was {_scale(old)}.")
    for level in new.levels:
        if level not in old.levels:
            yield Change(new.name, "level_added", f"“{level}” is new.")
    for level in old.levels:
        if level not in new.levels:
            yield Change(new.name, "level_removed", f"“{level}” is no longer a level.")


def _scale(field: Field) -> str:
    if field.role != "score":
        return ""
    low, high = field.units(field.minimum), field.units(field.maximum)
    return f"{low:.{field.decimals}f} to {high:.{field.decimals}f}"


def _words(name: str, before: Form, now: Form) -> Iterator[Change]:
    old, new = before.words(name), now.words(name)
    fresh = [word for key, word in new.items() if key not in old]
    if old and not new:
        yield Change(name, "column_gone", "No file has the column.")
    elif new and not old:
        yield Change(name, "column_added", f"It is delivered as {_listed(fresh)}.")
    elif fresh:
        detail = f"It is delivered as {_listed(fresh)}; it was {_listed(old.values())}."
        yield Change(name, "column_renamed", detail)


def _unknown(name: str, before: Form, now: Form) -> Iterator[Change]:
    old_values, old_records = before.unknown.get(name, (0, 0))
    values, records = now.unknown.get(name, (0, 0))
    if values > old_values or records > 2 * old_records:
        yield Change(
            name,
            "unknown_level",
            f"Values that are no level: {values:,}, in records: {records:,}; "
            f"there were {old_values:,} in {old_records:,}.",
        )


def _range(old: Field, new: Field, before: Form, now: Form) -> Iterator[Change]:
    if new.name not in before.ranges or new.name not in now.ranges or _scale(old) != _scale(new):
        return
    former, highest = (form.ranges[new.name][1] - new.minimum for form in (before, now))
    if 2 * highest < former:
        yield Change(new.name, "range_shifted", "The highest score is under half the former one.")
    elif highest > 2 * former:
        yield Change(new.name, "range_shifted", "The highest score is over twice the former one.")


def _unclaimed(before: Form, now: Form) -> list[Change]:
    """Return columns that came or went and that neither contract claims."""
    old, new = before.words(None), now.words(None)
    claimed = {plain(word) for form in (before, now) for word in _claimed(form)}
    came = [word for key, word in new.items() if key not in old.keys() | claimed]
    went = [word for key, word in old.items() if key not in new.keys() | claimed]
    return [
        *(Change(_shown(w), "column_added", "No field claims it: it is left out.") for w in came),
        *(Change(_shown(w), "column_gone", "No field claimed it.") for w in went),
    ]


def _claimed(form: Form) -> Iterator[str]:
    for header in form.columns.values():
        yield from (word for word, field in header.items() if field is not None)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"“{_shown(word)}”" for word in words)


def _shown(word: str) -> str:
    """Return a header word, not too long, with escapes for what would act on a terminal."""
    short = word if len(word) <= _WORD else f"{word[:_WORD]}…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)
