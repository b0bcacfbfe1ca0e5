"""Profiles: combinations of levels of all dimensions, numbered in mixed radix."""

from math import prod

from exams.contract.model import Contract, Field


def radix(field: Field) -> int:
    """Return the number of codes of a dimension: its levels, and one for no value."""
    return len(field.levels) + (not field.required)


def profiles(contract: Contract) -> int:
    """Return the number of profiles."""
    return prod(radix(d) for d in contract.dimensions)


def strides(contract: Contract) -> dict[str, int]:
    """Return by how much one level of each dimension raises the number of a profile."""
    sizes = [radix(d) for d in contract.dimensions]
    return {d.name: prod(sizes[place + 1 :]) for place, d in enumerate(contract.dimensions)}


def profile_levels(contract: Contract, profile: int) -> list[str | None]:
    """Return the levels of a profile, one per dimension; None is no value."""
    levels: list[str | None] = []
    for dimension, stride in zip(contract.dimensions, strides(contract).values(), strict=True):
        code = profile // stride % radix(dimension)
        levels.append(dimension.levels[code] if code < len(dimension.levels) else None)
    return levels
