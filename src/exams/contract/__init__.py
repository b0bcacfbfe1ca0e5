"""The contract of a delivery: which fields it has, what they may hold, what is reported."""

from exams.contract.model import Band, Contract, Disclosure, Field
from exams.contract.read import read_contract

__all__ = ["Band", "Contract", "Disclosure", "Field", "read_contract"]
