"""Versions of the contract: each quarter is read under the one that was valid then."""

from pathlib import Path

from exams.contract.model import Contract
from exams.contract.read import read_contract, read_valid_from
from exams.errors import ExamsError
from exams.places import Places, visible


def contract_of(places: Places, quarter: str) -> Contract:
    """Return the contract that is valid in `quarter`; raise what `contract_file` raises."""
    return read_contract(contract_file(places, quarter))


def contract_file(places: Places, quarter: str) -> Path:
    """Return the version with the newest `valid_from` that is not after `quarter`.

    Raise E010 or E011 if a version does not tell its `valid_from`, E013 if the present
    contract lacks one beside former versions, E014 if two have the same, E015 if none is
    valid in `quarter`.
    """
    dated: dict[str, Path] = {}
    for path in contract_files(places):
        start = read_valid_from(path)
        if start in dated:
            raise _same(start, dated[start], path)
        dated[start] = path
    if len(dated) > 1 and dated.get("") == places.contract:
        raise ExamsError(
            "E013",
            f"{_said(places.contract)}: valid_from is missing, and there are former versions.",
            "Write the first quarter under it, such as `valid_from: 2019Q1`.",
        )
    valid = [start for start in dated if start <= quarter]
    if not valid:
        first = min(dated)
        raise ExamsError(
            "E015",
            f"No contract is valid in {quarter}: {_said(dated[first])} is the first, {first}.",
            "Put the former contract into data/contracts/, or correct valid_from.",
        )
    return dated[max(valid)]


def contract_files(places: Places) -> list[Path]:
    """Return the present contract, then its former versions by name."""
    folder = places.contracts
    former = visible(folder) if folder.is_dir() else []
    return [places.contract, *(f for f in former if f.suffix in (".yaml", ".yml"))]


def _same(start: str, one: Path, other: Path) -> ExamsError:
    since = f"valid from {start}" if start else "without valid_from"
    return ExamsError(
        "E014",
        f"{_said(one)} and {_said(other)} are both {since}.",
        "Give each version a valid_from of its own; one former version may lack it.",
    )


def _said(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
