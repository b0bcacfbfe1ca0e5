"""Checks keys and kinds of a contract's settings; every mistake names field and remedy."""

import re
from typing import Any

from exams.errors import ExamsError

Kinds = dict[str, type | tuple[type, ...]]

# Words of the tables themselves: a field of that name would be taken for another column.
_RESERVED = {
    "all", "at_risk", "ci_high", "ci_low", "cmax", "cmin", "code", "column", "complete", "ctid",
    "delivery", "dimension", "file", "fold", "id", "key", "level", "line", "n", "other", "profile",
    "quarter", "rowid", "score", "squares", "steps", "tableoid", "total", "value", "xmax", "xmin",
}  # fmt: skip
MADE = "_code", "_level"  # end the names of columns that the warehouse makes of a score
_SAID: dict[Any, tuple[str, str]] = {
    str: ("text", "a word or a sentence, in quotes if in doubt"),
    bool: ("true or false", "true or false, without quotes"),
    list: ("a list", "[first, second]"),
    dict: ("a set of keys", "{key: value}"),
    int: ("a whole number", "a whole number"),
    (int, float): ("a number", "a number"),
}


def mistake(where: str, what: str, remedy: str) -> ExamsError:
    """Return the error for a mistake at `where` in a contract (E010); its reader adds the file."""
    return ExamsError("E010", f"{where}: {what}.", remedy)


def check_keys(where: str, raw: Any, kinds: Kinds) -> dict[str, Any]:
    """Return `raw` if it is a set of keys that are all in `kinds` and of their kind.

    An unknown key would be a setting that is silently lost.
    """
    if not isinstance(raw, dict):
        raise mistake(where, "it is not a set of keys", "Write {key: value}.")
    for key, value in raw.items():
        if key not in kinds:
            known = ", ".join(sorted(kinds))
            raise mistake(where, f"{key!r} is not a setting", f"There are: {known}.")
        kind = kinds[key]
        wrong_truth = isinstance(value, bool) and kind is not bool  # true is a number to Python
        if wrong_truth or not isinstance(value, kind):
            said, example = _SAID[kind]
            raise mistake(where, f"{key} is not {said}", f"Write `{key}:` and {example}.")
    return raw


def check_name(where: str, name: str) -> str:
    """Return the name of a field if the tables can have a column of that name."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        what = "the name has characters other than a–z, 0–9 and _"
        raise mistake(where, what, "Write it like test_score.")
    if name in _RESERVED:
        raise mistake(where, "the tables use this name themselves", f"Call it {name}_1, say.")
    return name


def check_texts(where: str, key: str, values: list[Any]) -> tuple[str, ...]:
    """Return a list of texts, each not empty and without outer or repeated space."""
    for value in values:
        if not isinstance(value, str) or value != " ".join(value.split()) or not value:
            raise mistake(where, f"{value!r} in {key} is no plain text", "Write it in quotes.")
    return tuple(values)
