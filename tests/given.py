"""Contracts and files that tests start from."""

# One dimension and two scores of different scales: small enough to reckon by hand.
SMALL = {
    "name": "small",
    "title": "Small exam",
    "missingValues": ["", "-"],
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
