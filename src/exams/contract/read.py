"""Reads a contract; a mistake in it is named with its file, its field and the remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # reads ten times as fast
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

from exams.contract.checks import MADE, Kinds, check_keys, check_name, check_texts, mistake
from exams.contract.fields import read_field
from exams.contract.guarding import read_crossings, read_disclosure
from exams.contract.model import Contract, Field
from exams.contract.modelling import read_alarm, read_prediction
from exams.contract.words import plain
from exams.errors import ExamsError
from exams.quarters import is_quarter

_KEYS: Kinds = {
    "name": str, "title": str, "version": str, "description": str, "missingValues": list,
    "fields": list, "overall": dict, "levels": list, "at_risk_below": (int, float),
    "disclosure": dict, "valid_from": str, "strict": bool, "max_quarantined": (int, float),
    "same_file_twice": bool, "crossings": list, "alarm": dict, "prediction": dict,
}  # fmt: skip


def read_contract(path: Path) -> Contract:
    """Read and check the contract at `path`; raise E010 for a mistake, E011 without a file."""
    content = _content(path)
    with _named(path):
        return _contract(_keys(content))


def read_valid_from(path: Path) -> str:
    """Return the first quarter under the contract at `path`, the rest of it unchecked.

    Empty: it is valid from the beginning. Raise E010 or E011 if the file does not tell.
    """
    content = _content(path)
    with _named(path):
        return _valid_from(_keys(content))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExamsError(
            "E011",
            f"{path.parent.name}/{path.name} cannot be read: {error.strerror}.",
            "Copy the shipped data/contract.yaml there and adapt it.",
        ) from None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the name of the file before a mistake in it."""
    try:
        yield
    except ExamsError as error:
        what = f"{path.parent.name}/{path.name}, {error.message}"
        raise ExamsError(error.code, what, error.remedy) from None


@lru_cache(maxsize=8)  # a build asks for the same contract at every stage
def _keys(content: bytes) -> dict[Any, Any]:
    try:
        raw = yaml.load(content.decode("utf-8-sig"), _Loader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or the 31st of June
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "the whole file"
        raise mistake(where, "this is not YAML", "Check indents, colons and quotes.") from None
    if not isinstance(raw, dict):
        raise mistake("the whole file", "it holds no keys", "Start from the shipped contract.")
    return raw


class _Loader(SafeLoader):
    """Safe YAML in which a key may not occur twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                where = f"line {node.start_mark.line + 1}"
                raise mistake(where, f"{key!r} is set twice", "Keep one of them.")
        return super().construct_mapping(node, deep)


def _contract(raw: dict[str, Any]) -> Contract:
    check_keys("top level", raw, _KEYS)
    if not raw.get("fields"):
        raise mistake("fields", "there are none", "List at least a dimension and a score.")
    fields = tuple(read_field(number, f, raw) for number, f in enumerate(raw["fields"], 1))
    for role in ("dimension", "score"):
        if not any(f.role == role for f in fields):
            raise mistake("fields", f"none has role {role}", f"Give a field `role: {role}`.")
    if len([f for f in fields if f.unique]) > 1:
        what = "two identifiers are unique"
        raise mistake("fields", what, "Keep `unique: true` for the one that tells records apart.")
    overall = _overall(raw, fields)
    _distinct([*fields, *([overall] if overall else [])])
    missing = raw.get("missingValues", [""])
    check_texts("missingValues", "it", [value for value in missing if value != ""])
    name = raw.get("name", "exam-results")
    return Contract(
        name=name,
        title=raw.get("title", name),
        version=raw.get("version", "1"),
        description=raw.get("description", ""),
        fields=fields,
        missing_values=tuple(missing),
        overall=overall,
        disclosure=read_disclosure(raw.get("disclosure", {})),
        crossings=read_crossings(raw.get("crossings", []), fields),
        valid_from=_valid_from(raw),
        strict=raw.get("strict", False),
        max_quarantined=_share(raw, "max_quarantined", 0.05),
        same_file_twice=raw.get("same_file_twice", False),
        alarm=read_alarm(raw.get("alarm", {})),
        prediction=read_prediction(raw.get("prediction", {})),
    )


def _valid_from(raw: dict[Any, Any]) -> str:
    quarter = raw.get("valid_from", "")
    if "valid_from" in raw and not (isinstance(quarter, str) and is_quarter(quarter)):
        raise mistake("valid_from", f"{quarter!r} is not a quarter", "Write it like 2019Q1.")
    return quarter


def _share(raw: dict[str, Any], key: str, usual: float) -> float:
    share = raw.get(key, usual)
    if not 0 <= share <= 1:
        raise mistake(key, f"{share!r} is not a share", "Write 0.05 for 5 %: 0 to 1.")
    return float(share)


def _overall(raw: dict[str, Any], fields: tuple[Field, ...]) -> Field | None:
    if "overall" not in raw:
        return None
    wish = check_keys("overall", raw["overall"], {"name": str, "title": str})
    if "name" not in wish:
        raise mistake("overall", "it has no name", "Write {name: average_score, title: ...}.")
    scores = [f for f in fields if f.role == "score"]
    if len({(f.minimum, f.maximum, f.decimals, f.unit) for f in scores}) > 1:
        what = "the scores have different scales or units"
        raise mistake("overall", what, "Leave `overall` out.")
    first = scores[0]
    return Field(
        name=check_name("overall", wish["name"]),
        title=wish.get("title", wish["name"]),
        description=f"Mean of {', '.join(f.title for f in scores)}.",
        role="overall",
        unit=first.unit,
        decimals=first.decimals,
        minimum=first.minimum,
        maximum=first.maximum,
        bands=first.bands,
    )


def _distinct(fields: list[Field]) -> None:
    """Check that no two fields go by the same word, in a header or in a chart."""
    seen: dict[str, str] = {}
    for field in fields:
        for word in {plain(word) for word in (field.name, field.title, *field.aliases)}:
            if word in seen:
                where = f"field {field.name}"
                raise mistake(where, f"{word!r} also names {seen[word]}", "Rename one of them.")
            seen[word] = field.name
    made = {field.name + ending: field for field in fields if field.bands for ending in MADE}
    for field in fields:
        if field.name in made and field.role != "ignore":
            what = f"the tables make a column of this name of {made[field.name].name}"
            raise mistake(f"field {field.name}", what, f"Call it {field.name}_1, say.")
