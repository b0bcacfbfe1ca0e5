"""What a contract says, as plain values."""

from dataclasses import dataclass
from functools import cached_property

# What the tables call every level of a dimension, and a value that is missing.
ALL = "all"
NOT_STATED = "not stated"


@dataclass(frozen=True)
class Band:
    """A score level: from `low` up to the next band, both in steps of the scale.

    bins: where those of its histogram begin; None: they are as wide as others.
    """

    code: int
    label: str
    low: int
    bins: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Field:
    """A column of a delivery.

    Scores are held as whole steps of their scale: with one decimal, 4.5 is 45 steps.
    `minimum`, `maximum`, `at_risk_below` and the bands are in steps.
    """

    name: str
    title: str
    description: str
    role: str  # dimension, score, identifier, ignore; overall for the mean of the scores
    required: bool = True
    unique: bool = False  # of an identifier: a second record with it goes to quarantine
    unit: str = ""
    sensitive: bool = False
    aliases: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, str], ...] = ()
    merges: tuple[tuple[str, tuple[str, ...]], ...] = ()  # coarser levels, where crossed
    decimals: int = 0
    minimum: int = 0
    maximum: int = 0
    bands: tuple[Band, ...] = ()
    at_risk_below: int | None = None

    @property
    def step(self) -> float:
        """Value of one step: 1 for whole numbers, 0.1 for one decimal."""
        return 1 / 10**self.decimals

    @property
    def coarse(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Levels of a dimension where it is crossed: each with the levels that it merges."""
        return self.merges or tuple((level, (level,)) for level in self.levels)

    @property
    def counted_levels(self) -> tuple[str, ...]:
        """Levels of a dimension, and NOT_STATED where a value may be missing."""
        return self.levels + (() if self.required else (NOT_STATED,))

    def units(self, steps: int) -> float:
        """Return a score in its unit: 45 steps of 0.1 are 4.5."""
        return steps / 10**self.decimals

    @property
    def size(self) -> int:
        """Number of values that a score can take."""
        return self.maximum - self.minimum + 1


@dataclass(frozen=True)
class Disclosure:
    """What is hidden: groups of 1 to `minimum_group` - 1, counts of 1 to `minimum_count` - 1.

    No hidden count may be known to within `within`. Zeros are no secret, unless `hide_zeros`.
    """

    minimum_group: int = 10
    minimum_count: int = 5
    within: int = 2
    hide_zeros: bool = False


@dataclass(frozen=True)
class Alarm:
    """When a change of a score's mean from quarter to quarter is an alarm.

    Its size is at least `effect` standard deviations, and p after Holm's correction under `p`.
    """

    effect: float = 0.1
    p: float = 0.01


@dataclass(frozen=True)
class Prediction:
    """What of prediction is published, and whether students get one of their own.

    A model that removes a smaller share than `minimum_gain` of the baseline's squared error is
    not published. `per_student` stores a prediction for each student, without sensitive fields.
    """

    minimum_gain: float = 0.02
    per_student: bool = False


@dataclass(frozen=True)
class Contract:
    """The fields of a delivery and the settings of its office."""

    name: str
    title: str
    version: str
    description: str
    fields: tuple[Field, ...]
    missing_values: tuple[str, ...] = ("",)
    overall: Field | None = None
    disclosure: Disclosure = Disclosure()
    crossings: tuple[tuple[str, str], ...] = ()  # pairs of dimensions with a table of their own
    valid_from: str = ""  # first quarter under this contract; empty: from the beginning
    strict: bool = False  # refuse a file with a column that is not of the contract
    max_quarantined: float = 0.05  # share of a file's records; above it, nothing is loaded
    same_file_twice: bool = False  # the same bytes may be delivered for two quarters
    alarm: Alarm = Alarm()
    prediction: Prediction = Prediction()

    @cached_property
    def dimensions(self) -> tuple[Field, ...]:
        """Fields that group students."""
        return tuple(f for f in self.fields if f.role == "dimension")

    @cached_property
    def scores(self) -> tuple[Field, ...]:
        """Fields that hold a score."""
        return tuple(f for f in self.fields if f.role == "score")

    @cached_property
    def kept(self) -> tuple[Field, ...]:
        """Fields that reach the warehouse as they are: dimensions and scores, in order."""
        return tuple(f for f in self.fields if f.role in ("dimension", "score"))

    @cached_property
    def identifiers(self) -> tuple[Field, ...]:
        """Fields that name a person: they reach the warehouse as pseudonyms, or not at all."""
        return tuple(f for f in self.fields if f.role == "identifier")

    @property
    def reported(self) -> tuple[Field, ...]:
        """Scores that are reported: each score, then the overall one if there is any."""
        return self.scores + ((self.overall,) if self.overall else ())

    def parts(self, field: Field) -> int:
        """Return how many scores a reported score adds up: the overall one is held as a total."""
        return len(self.scores) if field.role == "overall" else 1

    def per_unit(self, field: Field) -> int:
        """Return how many steps, as they are counted, make one unit of a reported score."""
        return self.parts(field) * 10**field.decimals
