"""Reads one field of the contract."""

from typing import Any

from exams.contract.checks import Kinds, check_keys, check_name, check_texts, mistake
from exams.contract.guarding import read_merges
from exams.contract.model import ALL, NOT_STATED, Field
from exams.contract.scale import bands, steps
from exams.contract.words import fold

_COMMON: Kinds = {
    "name": str, "title": str, "description": str, "role": str, "type": str,
    "aliases": list, "constraints": dict,
}  # fmt: skip
_KEYS: dict[str, Kinds] = {
    "dimension": _COMMON | {"sensitive": bool, "synonyms": dict, "merges": dict},
    "score": _COMMON
    | {"unit": str, "decimals": int, "levels": list, "at_risk_below": (int, float)},
    "identifier": _COMMON,
    "ignore": _COMMON,
}
_CONSTRAINTS: dict[str, Kinds] = {
    "dimension": {"required": bool, "enum": list},
    "score": {"required": bool, "minimum": (int, float), "maximum": (int, float)},
    "identifier": {"required": bool, "unique": bool},
    "ignore": {"required": bool},
}
_TYPES = {"dimension": ("string",), "score": ("integer", "number"), "identifier": ("string",)}
_TAKEN = {ALL, NOT_STATED}
_FAR = 1_000_000  # steps from zero


def read_field(number: int, raw: Any, contract: dict[str, Any]) -> Field:
    """Read the field at place `number`; scores take defaults from the whole `contract`."""
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        raise mistake(f"field {number}", "it has no name", "Give it `name: some_name`.")
    where = f"field {raw['name']}"
    check_name(where, raw["name"])
    role = raw.get("role")
    if role not in _KEYS:
        raise mistake(where, f"role is {role!r}", "Use dimension, score, identifier or ignore.")
    check_keys(where, raw, _KEYS[role])
    rules = check_keys(f"{where}, constraints", raw.get("constraints", {}), _CONSTRAINTS[role])
    title = raw.get("title", raw["name"])
    common = {
        "name": raw["name"],
        "title": title,
        "description": raw.get("description", f"{title}."),
        "role": role,
        "required": rules.get("required", False),
        "aliases": check_texts(where, "aliases", raw.get("aliases", [])),
    }
    if role == "ignore":
        return Field(**common)
    if raw.get("type") not in _TYPES[role]:
        allowed = " or ".join(_TYPES[role])
        raise mistake(where, f"type is {raw.get('type')!r}", f"For role {role} it is {allowed}.")
    if role == "identifier":
        return Field(**common, unique=rules.get("unique", False))
    if role == "dimension":
        return Field(**common, **_levels(where, raw, rules))
    return Field(**common, **_scale(where, raw, rules, contract))


def _levels(where: str, raw: dict[str, Any], rules: dict[str, Any]) -> dict[str, Any]:
    levels = check_texts(where, "enum", rules.get("enum", []))
    if not levels:
        raise mistake(where, "enum is missing", "List the levels: {enum: [a, b]}.")
    folded = {fold(level): level for level in levels}
    if len(folded) < len(levels):
        what = "two levels differ in case, space or quotes only"
        raise mistake(where, what, "Keep one of them.")
    if taken := _TAKEN & {*folded, *map(fold, map(str, raw.get("merges", {})))}:
        raise mistake(where, f"the tables use {min(taken)!r} themselves", "Use another word.")
    return {
        "levels": levels,
        "synonyms": _synonyms(where, raw.get("synonyms", {}), folded),
        "merges": read_merges(where, raw.get("merges", {}), levels),
        "sensitive": raw.get("sensitive", False),
    }


def _synonyms(where: str, raw: dict[str, Any], folded: dict[str, str]) -> tuple[Any, ...]:
    """Return (word, level) for each synonym; `folded` has the levels by their folded words."""
    check_texts(where, "synonyms", [*raw, *raw.values()])
    known: dict[str, str] = {}
    for word, level in raw.items():
        if level not in folded.values():
            raise mistake(where, f"synonym {word!r} stands for no level", "Name one of enum.")
        if fold(word) in folded:
            raise mistake(where, f"synonym {word!r} is a level itself", "Leave it out.")
        if known.setdefault(fold(word), level) != level:
            raise mistake(where, f"synonym {word!r} stands for two levels", "Keep one of them.")
    return tuple(raw.items())


def _scale(
    where: str, raw: dict[str, Any], rules: dict[str, Any], contract: dict[str, Any]
) -> dict[str, Any]:
    decimals = raw.get("decimals", 0 if raw["type"] == "integer" else None)
    if decimals not in (0, 1, 2, 3) or (raw["type"] == "integer" and decimals):
        raise mistake(where, f"decimals is {decimals!r}", "A number needs `decimals: 1` (0–3).")
    low, high = _bounds(where, rules, decimals)
    risk = raw.get("at_risk_below", contract.get("at_risk_below"))
    threshold = None if risk is None else steps(risk, decimals)
    if risk is not None and (threshold is None or not low < threshold <= high):
        raise mistake(where, f"at_risk_below is {risk!r}", "Give a score of this scale.")
    try:
        levels = bands(raw.get("levels", contract.get("levels")), low, high, decimals)
    except ValueError as error:
        remedy = "List the lowest score of each, here or in the field."
        raise mistake(where, f"levels: {error}", remedy) from None
    return {
        "unit": raw.get("unit", ""),
        "decimals": decimals,
        "minimum": low,
        "maximum": high,
        "bands": levels,
        "at_risk_below": threshold,
    }


def _bounds(where: str, rules: dict[str, Any], decimals: int) -> tuple[int, int]:
    low, high = (steps(rules.get(key), decimals) for key in ("minimum", "maximum"))
    if low is None or high is None:
        what = f"minimum or maximum is missing or has more than {decimals} decimals"
        raise mistake(where, what, "Give both: {minimum: 0, maximum: 100}.")
    if low >= high or high - low > 10_000:
        what = "the scale is empty or has over 10,000 steps"
        raise mistake(where, what, "Correct its bounds, or take fewer decimals.")
    if max(-low, high) > _FAR:
        what = f"a bound is over {_FAR:,} steps from zero"
        raise mistake(where, what, "Deliver scores on a smaller scale.")
    return low, high
