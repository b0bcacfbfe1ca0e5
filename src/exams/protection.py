"""What protects each published table: declared here for every one, or it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log10

Groups = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Counted:
    """Each row counts students in its column `n`; what else it says is hidden with the count.

    groups: pairs of columns, a dimension's name and its level. by_score: only students with
    the score that the column `score` names. complete: only those with every score. category:
    the column whose value n counts, among all that fall into one of them; within: the column
    with the category, of another table, that it divides further. part: a column that counts
    some of the n. described: the row describes its students (by a mean, say), so that they
    must be a group. together: the rows of a dimension are shown or hidden all together.
    """

    groups: Groups = ()
    by_score: bool = False
    complete: bool = False
    category: str = ""
    within: str = ""
    part: str = ""
    described: bool = False
    together: bool = False
    labels: tuple[str, ...] = ()  # columns that say nothing of students, besides the key


@dataclass(frozen=True)
class Source:
    """Rows of another table: `columns` maps the columns of its key to columns of one's own.

    A column written =text stands for that text.
    """

    table: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Derived:
    """Each row is worked out from rows of other tables, and hidden if one of them is.

    rounded: columns that must not be exact, as they follow from counts that no table shows:
    they are rounded to `unit_of` the score.
    """

    sources: tuple[Source, ...]
    labels: tuple[str, ...] = ()
    rounded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summed:
    """Each row adds up a row of the table `source` over published quarters: from `first` on.

    It is shown only where each of these rows is, so that it tells nothing that they do not.
    keys: the columns that name the row in the source. parts: what it counts.
    """

    source: str
    keys: tuple[str, ...]
    parts: tuple[str, ...]
    labels: tuple[str, ...] = ("first", "quarters")


@dataclass(frozen=True)
class Exempt:
    """The table says nothing of students: `reason`. It is made from `source`."""

    reason: str
    source: str = "publish"


Protection = Counted | Derived | Summed | Exempt

_GROUP: Groups = (("dimension", "level"),)
_CROSSING: Groups = (*_GROUP, ("dimension_2", "level_2"))
# What becomes of students whom a rule would flag, or not; the first two are those at risk.
OUTCOMES = ("caught", "missed", "false alarm", "cleared")
_MEAN = {"dimension": "dimension", "level": "level", "score": "score"}
_OTHER = _MEAN | {"level": "reference"}
_WHOLE = {"dimension": "=all", "level": "=all"}
_OF_TARGET = (
    Source("mean_by_group", _WHOLE | {"score": "target"}),
    Source("at_risk_by_group", _WHOLE),
)

PROTECTION: Mapping[str, Protection] = {
    "publication": Exempt("When a quarter was published.", "publish"),
    "catalog": Exempt("What is published, table by table.", "publish"),
    "field": Exempt("Words of the contract.", "contract"),
    "delivery": Exempt("Counts of records by file, which its sender knows.", "delivery"),
    "quarantine_count": Exempt(
        "Counts of rejected records by file, which its sender knows.", "quarantine"
    ),
    "repair_count": Exempt("Counts of repaired records by file, which its sender knows.", "repair"),
    "schema_change": Exempt("Changes of fields and columns.", "contract"),
    "comparability_break": Exempt("Changes of the contract.", "contract"),
    "revision": Exempt("Figures of two versions, both shown in tables that are protected."),
    "mean_by_group": Counted(_GROUP, by_score=True, described=True),
    "mean_by_crossing": Counted(_CROSSING, by_score=True, described=True),
    "at_risk_by_group": Counted(_GROUP, part="at_risk"),
    "levels": Counted(by_score=True, category="code", labels=("level",)),
    "histogram": Counted(
        by_score=True, category="bin", within="code", labels=("code", "low", "high")
    ),
    "level_by_group": Counted(_GROUP, by_score=True, category="code", labels=("band",)),
    "modal_level": Derived((Source("level_by_group", _MEAN),)),
    "tiers": Counted(complete=True, category="tier", described=True),
    "gaps": Derived(
        (Source("mean_by_group", _MEAN), Source("mean_by_group", _OTHER)), labels=("reference",)
    ),
    "score_gaps": Counted(_GROUP, complete=True, described=True),
    "adjusted_gaps": Derived(
        (Source("mean_by_group", _MEAN), Source("mean_by_group", _OTHER)),
        labels=("reference",),
        rounded=("gap", "ci_low", "ci_high"),
    ),
    "change": Derived((Source("mean_by_group", _MEAN),), labels=("former",)),
    "prediction": Derived(_OF_TARGET),
    # a gain by groups some of which are hidden would tell how they differ
    "explanation": Derived(
        (
            *_OF_TARGET,
            Source("mean_by_group", {"dimension": "dimension", "score": "target"}),
        )
    ),
    "calibration": Derived((Source("at_risk_by_group", _WHOLE),)),
    "flagged_by_group": Counted(_GROUP, category="outcome", together=True),
    "fairness": Derived(
        (Source("flagged_by_group", {"dimension": "dimension", "level": "level"}),)
    ),
    "fairness_gap": Derived((Source("flagged_by_group", {"dimension": "dimension"}),)),
    "mean_to_date": Summed("mean_by_group", ("dimension", "level", "score"), ("n",)),
    "at_risk_to_date": Summed("at_risk_by_group", ("dimension", "level"), ("n", "at_risk")),
}


def unit_of(sd: float) -> float:
    """Return to what a figure in units of a score is rounded: 1/500 to 1/50 of its deviation."""
    return 10.0 ** floor(log10(sd / 50)) if sd > 0 else 1.0
