"""The first table of a report: figures of all students."""

import pandas as pd


def summary(everyone: pd.DataFrame) -> pd.DataFrame:
    """Return figures of all students, a row for each score; `everyone`: mean_by_group, unit.

    "± 95 %": half of the interval of the mean.
    """
    units = everyone["unit"].fillna("").unique()
    mean = f"Mean, {units[0]}" if len(units) == 1 and units[0] else "Mean"
    half = (everyone["ci_high"] - everyone["ci_low"]) / 2
    columns = {
        "Students": everyone["n"],
        mean: everyone["mean"].round(1),
        "±\u00a095\u00a0%": half.round(1),
    }
    columns |= {"SD": everyone["sd"].round(1)}
    columns |= {"Unit": everyone["unit"]} if len(units) > 1 else {}
    return pd.DataFrame(columns).set_index(everyone["score"].rename("Score"))
