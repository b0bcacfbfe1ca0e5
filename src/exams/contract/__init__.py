"""The contract of a delivery: which fields it has, what they may hold, what is reported."""

from exams.contract.model import (
    ALL,
    NOT_STATED,
    Alarm,
    Band,
    Contract,
    Disclosure,
    Field,
    Prediction,
)
from exams.contract.read import read_contract
from exams.contract.versions import contract_of

__all__ = [
    "ALL",
    "NOT_STATED",
    "Alarm",
    "Band",
    "Contract",
    "Disclosure",
    "Field",
    "Prediction",
    "contract_of",
    "read_contract",
]
