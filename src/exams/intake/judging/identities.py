"""Identifiers of records: pseudonyms instead of them, and records that share one."""

from copy import copy

import numpy as np
import pyarrow as pa

from exams.contract import Contract, Field
from exams.intake.arrays import to_numpy
from exams.intake.judging.identifiers import RunKey, pseudonyms
from exams.intake.judging.records import Records
from exams.intake.judging.seen import Seen, Told

Pseudonyms = dict[str, list[bytes | None]]  # by identifier, one per record


class Identities:
    """The identifiers of a quarter so far. Without a lasting key, nothing of them is stored.

    Which unique ones have occurred before, `seen` knows; where only some parts of a quarter are
    judged, `told` says it instead.
    """

    def __init__(self, contract: Contract, key: RunKey | None = None) -> None:
        self.contract = contract
        self.key = key or RunKey.drawn()
        self.seen = {f.name: Seen() for f in contract.identifiers if f.unique}
        self.told: Told | None = None

    def copy(self) -> "Identities":
        """Return the same; what one sees from now on, the other does not."""
        other = copy(self)
        other.seen = {name: seen.copy() for name, seen in self.seen.items()}
        return other

    def judge(self, records: Records, batch: pa.RecordBatch) -> Pseudonyms:
        """Refuse records without a required identifier, or with one that another record has.

        Return the pseudonyms to store. Only a clean record takes its identifier.
        """
        found = {f.name: self._pseudonyms(f, batch) for f in self.contract.identifiers}
        for identifier in self.contract.identifiers:
            if identifier.required:
                none = np.array([digest is None for digest in found[identifier.name]], bool)
                records.refuse(
                    np.flatnonzero(none if records.blank is None else none & ~records.blank),
                    identifier.name,
                    "missing",
                )
        for name, seen in self.seen.items():
            again = (self.told or seen).add(found[name], ~records.bad)
            records.refuse(np.flatnonzero(again), name, "duplicate")
        return found if self.key.lasting else {}

    def _pseudonyms(self, identifier: Field, batch: pa.RecordBatch) -> list[bytes | None]:
        column = batch.column(identifier.name)
        words = column.dictionary.to_pylist()
        digests = pseudonyms(words, identifier, self.contract.missing_values, self.key.key)
        return [digests[at] for at in to_numpy(column.indices).tolist()]
