"""Contracts and files that tests start from."""

import numpy as np
import pandas as pd
import yaml

# One dimension and two scores of different scales: small enough to reckon by hand.
SMALL = {
    "name": "small",
    "title": "Small exam",
    "missingValues": ["", "-"],
    "max_quarantined": 1,
    "fields": [
        {
            "name": "track",
            "title": "Track",
            "type": "string",
            "role": "dimension",
            "synonyms": {"n": "north"},
            "constraints": {"required": True, "enum": ["north", "south"]},
        },
        {
            "name": "points",
            "title": "Points",
            "type": "integer",
            "role": "score",
            "at_risk_below": 5,
            "levels": [0, 5],
            "constraints": {"required": True, "minimum": 0, "maximum": 10},
        },
        {
            "name": "mark",
            "title": "Mark",
            "type": "number",
            "decimals": 1,
            "role": "score",
            "levels": [1.0, 4.0],
            "constraints": {"minimum": 1.0, "maximum": 6.0},
        },
    ],
}


def identified(**wishes):
    """Return the small contract with an identifier, `candidate`."""
    field = {"name": "candidate", "type": "string", "role": "identifier", **wishes}
    return {**SMALL, "fields": [*SMALL["fields"], field]}


def write_contract(places, content=None):
    """Write a contract, the small one, to where commands look for it."""
    places.data.mkdir(parents=True, exist_ok=True)
    places.contract.write_text(yaml.safe_dump(content or SMALL))


# Another office: other fields, other scales, one dimension wide and some of its groups small.
REGIONS = [f"region {number:02}" for number in range(1, 31)]
OTHER = {
    "name": "trade-exams",
    "title": "Trade examinations",
    "version": "7",
    "fields": [
        {
            "name": "region",
            "title": "Region of the chamber",
            "description": "Where the exam was sat.",
            "type": "string",
            "role": "dimension",
            "constraints": {"required": True, "enum": REGIONS},
        },
        {
            "name": "trade",
            "title": "Trade",
            "type": "string",
            "role": "dimension",
            "constraints": {"enum": ["<b>baker</b>", "joiner"]},
        },
        {
            "name": "theory",
            "title": "Theory paper",
            "description": "Points of the written paper.",
            "type": "integer",
            "unit": "points",
            "role": "score",
            "at_risk_below": 200,
            "constraints": {"required": True, "minimum": 0, "maximum": 500},
        },
        {
            "name": "practice",
            "title": "Practice mark",
            "type": "number",
            "decimals": 1,
            "role": "score",
            "levels": [1.0, 3.0, 4.0, 5.0],
            "constraints": {"minimum": 1.0, "maximum": 6.0},
        },
    ],
}


def other_results():
    """Return the results of another office, as its file has them."""
    rng = np.random.default_rng(5)
    size = 900
    region = np.repeat(REGIONS, 30)
    region[:27] = REGIONS[29]  # leaves three in the first
    trade = rng.choice(["<b>baker</b>", "joiner", ""], size, p=[0.5, 0.4, 0.1])
    frame = pd.DataFrame({"Region": region, "trade": trade})
    frame["theory"] = rng.normal(300, 70, size).clip(0, 500).astype(int)
    frame["practice"] = (rng.normal(4, 0.8, size).clip(1, 6) * 10).round() / 10
    return frame
