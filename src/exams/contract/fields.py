"""Reads one field of the contract."""

import re
from typing import Any

from exams.contract.model import Field
from exams.contract.scale import bands, steps
from exams.errors import ExamsError

_KEYS = {
    "name", "title", "description", "type", "role", "unit", "sensitive", "aliases", "synonyms",
    "decimals", "levels", "at_risk_below", "constraints",
}  # fmt: skip
_CONSTRAINTS = {"required", "enum", "minimum", "maximum"}
_TYPES = {"dimension": {"string"}, "score": {"integer", "number"}}
_RESERVED = {"all", "quarter", "file", "line", "key", "profile", "id"}  # words of the tables


def mistake(where: str, what: str, remedy: str) -> ExamsError:
    """Return the error for a mistake at `where` in the contract (E010)."""
    return ExamsError("E010", f"contract.yaml, {where}: {what}.", remedy)


def known_only(where: str, raw: dict[str, Any], known: set[str]) -> None:
    """Raise E010 for a key that means nothing: it would be a setting that is silently lost."""
    for key in raw:
        if key not in known:
            listed = ", ".join(sorted(known))
            raise mistake(where, f"{key!r} is not a setting", f"There are: {listed}.")


def read_field(number: int, raw: Any, contract: dict[str, Any]) -> Field:
    """Read the field at place `number`; scores take defaults from the whole `contract`."""
    where, role = _named(number, raw)
    constraints = raw.get("constraints", {})
    if not isinstance(constraints, dict):
        raise mistake(where, "constraints are not a set of keys", "Write {required: true, ...}.")
    known_only(f"{where}, constraints", constraints, _CONSTRAINTS)
    title = str(raw.get("title", raw["name"]))
    common = {
        "name": raw["name"],
        "title": title,
        "description": str(raw.get("description", f"{title}.")),
        "role": role,
        "required": bool(constraints.get("required", False)),
        "unit": str(raw.get("unit", "")),
        "sensitive": bool(raw.get("sensitive", False)),
        "aliases": tuple(str(a) for a in raw.get("aliases", [])),
    }
    if role == "ignore":
        return Field(**common)
    if raw.get("type") not in _TYPES[role]:
        allowed = " or ".join(sorted(_TYPES[role]))
        raise mistake(where, f"type is {raw.get('type')!r}", f"A {role} has type {allowed}.")
    if role == "dimension":
        return Field(**common, **_levels(where, raw, constraints))
    return Field(**common, **_scale(where, raw, constraints, contract))


def _named(number: int, raw: Any) -> tuple[str, str]:
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        raise mistake(f"field {number}", "it has no name", "Give it `name: some_name`.")
    where = f"field {raw['name']}"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", raw["name"]):
        raise mistake(where, "the name has other signs than a–z, 0–9 and _", "Rename it.")
    if raw["name"] in _RESERVED:
        raise mistake(where, "this name is a word of the tables", "Rename it.")
    known_only(where, raw, _KEYS)
    role = raw.get("role")
    if role not in ("dimension", "score", "ignore"):
        raise mistake(where, f"role is {role!r}", "Use dimension, score or ignore.")
    return where, role


def _levels(where: str, raw: dict[str, Any], constraints: dict[str, Any]) -> dict[str, Any]:
    levels = constraints.get("enum")
    if not isinstance(levels, list) or not levels:
        raise mistake(where, "enum is missing", "List the levels: {enum: [a, b]}.")
    for level in levels:
        if not isinstance(level, str) or level != " ".join(level.split()) or not level:
            raise mistake(where, f"level {level!r} is no plain text", "Write it in quotes.")
    folded = [level.casefold() for level in levels]
    if len(set(folded)) < len(folded):
        raise mistake(where, "a level is listed twice", "Levels differ in more than case.")
    synonyms = {str(k): str(v) for k, v in raw.get("synonyms", {}).items()}
    for word, level in synonyms.items():
        if level not in levels:
            raise mistake(where, f"synonym {word!r} means no level", "Name a level of enum.")
    return {"levels": tuple(levels), "synonyms": tuple(synonyms.items())}


def _scale(
    where: str, raw: dict[str, Any], constraints: dict[str, Any], contract: dict[str, Any]
) -> dict[str, Any]:
    decimals = raw.get("decimals", 0 if raw["type"] == "integer" else None)
    if decimals not in (0, 1, 2, 3) or (raw["type"] == "integer" and decimals):
        raise mistake(where, f"decimals is {decimals!r}", "A number needs `decimals: 1` (0–3).")
    low, high = _bounds(where, constraints, decimals)
    risk = raw.get("at_risk_below", contract.get("at_risk_below"))
    threshold = None if risk is None else steps(risk, decimals)
    if risk is not None and (threshold is None or not low < threshold <= high):
        raise mistake(where, f"at_risk_below is {risk!r}", "Give a score of this scale.")
    try:
        levels = bands(raw.get("levels", contract.get("levels")), low, high, decimals)
    except ValueError as error:
        raise mistake(where, f"levels: {error}", "List the lowest score of each.") from None
    return {
        "decimals": decimals,
        "minimum": low,
        "maximum": high,
        "bands": levels,
        "at_risk_below": threshold,
    }


def _bounds(where: str, constraints: dict[str, Any], decimals: int) -> tuple[int, int]:
    low, high = (steps(constraints.get(key), decimals) for key in ("minimum", "maximum"))
    if low is None or high is None:
        what = f"minimum or maximum is missing or has more than {decimals} decimals"
        raise mistake(where, what, "Give both: {minimum: 0, maximum: 100}.")
    if low >= high or high - low > 10_000:
        what = "the scale is empty or has over 10,000 steps"
        raise mistake(where, what, "Correct its bounds, or take fewer decimals.")
    if max(-low, high) > 1_000_000:
        what = "a bound is over 1,000,000 steps from zero"
        raise mistake(where, what, "Deliver scores on a smaller scale.")
    return low, high
