"""Reads what the contract says of publication: what is crossed, what is merged, what is hidden."""

from typing import Any

from exams.contract.checks import Kinds, check_keys, check_texts, mistake
from exams.contract.model import Disclosure, Field

Merges = tuple[tuple[str, tuple[str, ...]], ...]


def read_disclosure(raw: dict[str, Any]) -> Disclosure:
    """Read the thresholds of disclosure control."""
    kinds: Kinds = {"minimum_group": int, "minimum_count": int, "within": int, "hide_zeros": bool}
    check_keys("disclosure", raw, kinds)
    for key in {"minimum_group", "minimum_count"} & set(raw):
        if raw[key] < 3:
            what = f"it is {raw[key]}"
            raise mistake(f"disclosure, {key}", what, "Use a whole number over 2.")
    if raw.get("within", 1) < 1:
        raise mistake("disclosure, within", f"it is {raw['within']}", "Use 1 or more.")
    rules = Disclosure(**raw)
    if rules.minimum_group < 2 * (rules.within + 1):
        what = f"a part of {rules.minimum_group} students is always known to within {rules.within}"
        raise mistake("disclosure", what, "Raise minimum_group to 2 x (within + 1), or more.")
    return rules


def read_crossings(raw: list[Any], fields: tuple[Field, ...]) -> tuple[tuple[str, str], ...]:
    """Read the pairs of dimensions to publish, each in the order of the fields."""
    names = [f.name for f in fields if f.role == "dimension"]
    found: list[tuple[str, str]] = []
    for item in raw:
        if not isinstance(item, list) or len(item) != 2 or len({*item} & {*names}) < 2:
            what = f"{item!r} is no pair of dimensions"
            raise mistake("crossings", what, "Write pairs like [one_dimension, other_dimension].")
        first, second = sorted(item, key=names.index)
        if (first, second) in found:
            raise mistake("crossings", f"{item!r} is listed twice", "Keep one of them.")
        found.append((first, second))
    return tuple(found)


def read_merges(where: str, raw: dict[str, Any], levels: tuple[str, ...]) -> Merges:
    """Read the coarser levels of a dimension; every level is in exactly one of them."""
    check_texts(where, "merges", list(raw))
    lists = list(raw.values())
    listed = [level for part in lists for level in (part if isinstance(part, list) else [part])]
    if raw and (not all(lists) or sorted(map(str, listed)) != sorted(levels)):
        what = "merges do not hold every level exactly once"
        raise mistake(where, what, "Write {coarser level: [level, level], other: [level]}.")
    for name, part in raw.items():
        if not isinstance(part, list):
            raise mistake(where, f"{name!r} is not a list of levels", "Write [level, level].")
        if name in levels and part != [name]:
            raise mistake(where, f"{name!r} is a level, too", "Use another word.")
    return tuple((name, tuple(part)) for name, part in raw.items())
