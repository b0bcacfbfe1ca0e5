"""What the audit is given, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

Published = Mapping[str, pd.DataFrame]  # tables of one quarter as published
Group = tuple[tuple[str, frozenset[str]], ...]  # levels by dimension


@dataclass(frozen=True)
class Earlier:
    """A version that was published before: its tables, and what is known of the change since.

    came, went: so many records at most are new, and have left; one that was corrected counts in
    both. None: that is not known, and a reader takes it that as few as possible have changed.
    """

    tables: Published
    came: int | None = None
    went: int | None = None


@dataclass(frozen=True)
class Subject:
    """Students counted: of a group, with a score, in a class of some kind."""

    group: Group = ()
    score: str = ""  # they have this score; empty: any student
    kind: str = ""
    of_kind: str = ""

    @property
    def whole(self) -> "Subject":
        """The students of whom this is a part."""
        return Subject(self.group, self.score)


@dataclass(frozen=True)
class Finding:
    """Row `row` of `table` (None: of a former version) is given away by `attack`."""

    table: str
    row: int | None
    attack: str
    subject: Subject | None = None


@dataclass(frozen=True)
class Verdict:
    """What the audit found.

    hidden: how many counts are hidden. narrowest: the width of the narrowest range that these
    tables leave to one of them; ranges that are wide enough are not measured to their ends.
    """

    hidden: int
    narrowest: float
    findings: tuple[Finding, ...]
