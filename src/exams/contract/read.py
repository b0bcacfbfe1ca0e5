"""Reads contract.yaml; a mistake in it is named with its field and the remedy."""

from pathlib import Path
from typing import Any

import yaml

from exams.contract.fields import known_only, mistake, read_field
from exams.contract.model import Contract, Disclosure, Field
from exams.errors import ExamsError

_CONTRACT_KEYS = {
    "name", "title", "version", "description", "missingValues", "fields", "overall", "levels",
    "at_risk_below", "disclosure",
}  # fmt: skip


def read_contract(path: Path) -> Contract:
    """Read and check the contract at `path`; raise E010 (E011: no file) for a mistake."""
    if not path.is_file():
        raise ExamsError("E011", f"There is no {path.name} in {path.parent.name}/.", "Add it.")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "the whole file"
        raise mistake(where, "this is not YAML", "Check indents, colons and quotes.") from None
    if not isinstance(raw, dict):
        raise mistake("the whole file", "it holds no keys", "Start from the shipped contract.")
    return _contract(raw)


def _contract(raw: dict[str, Any]) -> Contract:
    known_only("top level", raw, _CONTRACT_KEYS)
    if not isinstance(raw.get("fields"), list) or not raw["fields"]:
        raise mistake("fields", "there are none", "List at least a dimension and a score.")
    fields = tuple(read_field(number, f, raw) for number, f in enumerate(raw["fields"], 1))
    _distinct(fields)
    for role in ("dimension", "score"):
        if not any(f.role == role for f in fields):
            raise mistake("fields", f"none has role {role}", f"Give a field `role: {role}`.")
    name = str(raw.get("name", "exam-results"))
    return Contract(
        name=name,
        title=str(raw.get("title", name)),
        version=str(raw.get("version", "1")),
        description=str(raw.get("description", "")),
        fields=fields,
        missing_values=tuple(str(v) for v in raw.get("missingValues", [""])),
        overall=_overall(raw, fields),
        disclosure=_disclosure(raw.get("disclosure", {})),
    )


def _overall(raw: dict[str, Any], fields: tuple[Field, ...]) -> Field | None:
    if "overall" not in raw:
        return None
    wish = raw["overall"]
    if not isinstance(wish, dict) or not isinstance(wish.get("name"), str):
        raise mistake("overall", "it has no name", "Write {name: average_score, title: ...}.")
    if wish["name"] in {f.name for f in fields}:
        raise mistake("overall", "a field has this name", "Choose another name.")
    scores = [f for f in fields if f.role == "score"]
    if len({(f.minimum, f.maximum, f.decimals, f.unit) for f in scores}) > 1:
        raise mistake("overall", "the scores have different scales", "Leave `overall` out.")
    first = scores[0]
    return Field(
        name=wish["name"],
        title=str(wish.get("title", wish["name"])),
        description=f"Mean of {', '.join(f.title for f in scores)}.",
        role="overall",
        unit=first.unit,
        decimals=first.decimals,
        minimum=first.minimum,
        maximum=first.maximum,
        bands=first.bands,
    )


def _disclosure(raw: Any) -> Disclosure:
    if not isinstance(raw, dict):
        raise mistake("disclosure", "it is not a set of keys", "Write {minimum_group: 10}.")
    known_only("disclosure", raw, {"minimum_group", "minimum_count"})
    for key, value in raw.items():
        if not isinstance(value, int) or value < 3:
            raise mistake(f"disclosure, {key}", f"it is {value!r}", "Use a whole number over 2.")
    return Disclosure(**raw)


def _distinct(fields: tuple[Field, ...]) -> None:
    seen: dict[str, str] = {}
    for field in fields:
        for word in {field.name, *field.aliases}:
            if word in seen:
                raise mistake(
                    f"field {field.name}", f"{word!r} also names {seen[word]}", "Rename one."
                )
            seen[word] = field.name
