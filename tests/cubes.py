"""Cubes of rows, without files and a warehouse: for simulations and for comparison with rows."""

import pandas as pd

from exams.warehouse.read import CubeFrames


def cube_of(rows, contract):
    """Return the cube of `rows`, one column per dimension and score, scores in their units."""
    dimensions = [d.name for d in contract.dimensions]
    steps = {s.name: (rows[s.name] * 10**s.decimals).round() for s in contract.scores}
    steps = pd.DataFrame(steps)
    whole = steps.notna().all(axis="columns")
    if contract.overall:
        steps[contract.overall.name] = steps.sum(axis="columns").where(whole)
    values = pd.concat([rows[dimensions], steps], axis="columns").melt(
        dimensions, var_name="score", value_name="steps"
    )
    values = values.dropna(subset="steps").astype({"steps": int})
    keys = [*dimensions, "score", "steps"]
    values = values.groupby(keys, dropna=False).size().rename("n").reset_index()
    counts = rows[dimensions].assign(n=1, complete=whole.astype(int), at_risk=0)
    counts = counts.groupby(dimensions, dropna=False).sum().reset_index()
    nothing = pd.DataFrame()
    return CubeFrames(contract, counts, values, moments=nothing, combinations=nothing)
