"""How wide a contract may be, so that the cube stays far smaller than the records."""

from math import prod

from exams.contract import Contract, Field
from exams.contract.profiles import profiles, radix
from exams.errors import ExamsError
from exams.statistics.folds import FOLDS, SUMS

CELLS = 50_000_000  # counters of the cube: 400 MB


def values_of(contract: Contract, field: Field) -> int:
    """Return how many values a reported score can have; the overall one is a total."""
    return contract.parts(field) * (field.size - 1) + 1


def check_width(contract: Contract) -> None:
    """Raise E306, with the fields to drop or to merge, if the cube would have over CELLS cells."""
    scores = contract.reported
    values = sum(values_of(contract, s) for s in scores) + FOLDS * (2 + len(SUMS) * len(scores))
    if profiles(contract) * values <= CELLS:
        return
    raise ExamsError(
        "E306",
        f"contract.yaml: {profiles(contract):,} combinations of levels times {values:,} counts of"
        f" scores are too many to add up (over {CELLS:,}).",
        _remedy(contract, CELLS // values),
    )


def _remedy(contract: Contract, most: int) -> str:
    """Say what to do so that no more than `most` profiles remain."""
    sizes = {d.name: radix(d) for d in contract.dimensions}
    wide = sorted(sizes, key=lambda name: sizes[name], reverse=True)
    if most < 1:
        scores = sorted(contract.scores, key=lambda s: s.size, reverse=True)
        return f"Give scores fewer decimals or a shorter scale, {scores[0].name} first."
    for count in range(1, len(wide) + 1):
        if prod(sizes[name] for name in wide[count:]) <= most:
            break
    *more, last = wide[:count]
    dropped = f"{', '.join(more)} and {last}" if more else last
    others = prod(sizes[name] for name in wide[1:])
    merged = most // others
    if merged < 2:
        return f"Drop {dropped} (role: ignore)."
    fewer = f"give {wide[0]} at most {merged} levels, the others as synonyms"
    return f"Drop {dropped} (role: ignore), or {fewer}."
