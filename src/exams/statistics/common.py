"""What two quarters have in common, so that they can be compared."""

from dataclasses import replace

from exams.contract import Contract, Field
from exams.warehouse.form import Form
from exams.warehouse.read import CubeFrames


def common(contract: Contract, former: Form) -> Contract:
    """Return `contract` with the dimensions and scores alone that the former quarter had, too.

    A score counts if it had the same scale; the overall score if its scores are the same ones.
    """
    old = {f.name: f for f in former.fields}
    kept = [f for f in contract.kept if f.name in old and _alike(old[f.name], f)]
    scores = {f.name for f in kept if f.role == "score"}
    same = {f.name for f in former.fields if f.role == "score"} == scores
    same = same and len(scores) == len(contract.scores)
    return replace(contract, fields=tuple(kept), overall=contract.overall if same else None)


def _alike(old: Field, new: Field) -> bool:
    if old.role != "score":
        return old.role == new.role
    scales = [(f.role, f.minimum, f.maximum, f.decimals) for f in (old, new)]
    return scales[0] == scales[1]


def narrowed(cube: CubeFrames, contract: Contract) -> CubeFrames:
    """Return the cube with the scores alone that `contract` reports."""
    values = cube.values[cube.values["score"].isin([s.name for s in contract.reported])]
    return replace(cube, contract=contract, values=values)
