"""Where the records of a quarter are judged, whoever then keeps the result or throws it away."""

from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy

import numpy as np
import pyarrow as pa

from exams.contract import Contract
from exams.errors import ExamsError
from exams.intake.arrays import distinct, to_numpy
from exams.intake.judging.columns import Tally
from exams.intake.judging.corrections import Quarantined
from exams.intake.judging.identifiers import RunKey
from exams.intake.judging.identities import Identities
from exams.intake.judging.records import NOTHING_HELD, WHOLE, Clean, Rules, clean_records, held
from exams.intake.parts import Extracted, Judged


class Desk:
    """Judges deliveries, one after the other, and holds what all of them share.

    Records come and go; of each delivery only counts stay, and which lines are in quarantine.
    `tally` and `resolved` are those of the delivery that lies on the desk.
    """

    def __init__(self, contract: Contract, key: RunKey | None = None) -> None:
        self.contract, self.rules = contract, Rules(contract)
        self.quarantined, self.identities = Quarantined(), Identities(contract, key)
        self._clear()

    def _clear(self) -> None:
        self.tally, self.lines = Tally(), list[np.ndarray]()
        self.resolved = list[pa.RecordBatch]()

    def copy(self) -> "Desk":
        """Return a desk with what is known so far, for another try without the next delivery."""
        other = copy(self)
        other.quarantined, other.identities = self.quarantined.copy(), self.identities.copy()
        other._clear()
        return other

    def judge(self, records: pa.RecordBatch, corrects: bool) -> tuple[Clean, pa.RecordBatch]:
        """Return the clean ones of some records, and the quarantine rows of the others.

        corrects: they stand for others, which must be in quarantine.
        """
        judged = self.rules.judge(records)
        if corrects:
            self.resolved.append(self.quarantined.resolve(judged, records))
        pseudonyms = self.identities.judge(judged, records)
        clean = clean_records(self.contract, judged, pseudonyms, self.tally)
        return clean, self._hold(judged.wrong)

    def malformed(self, line: np.ndarray) -> pa.RecordBatch:
        """Return the quarantine rows of the records on these lines, no records of the header."""
        size = len(line)
        return self._hold([held(line, WHOLE, [b""] * size, ["wrong_number_of_columns"] * size)])

    def lay(self, tally: Tally, lines: Sequence[np.ndarray]) -> None:
        """Lay a delivery on the desk that was judged elsewhere; lines: those in quarantine."""
        self.tally, self.lines = tally, list(lines)

    def close(self, read: Extracted, parts: tuple[str, ...] = (), resolved: str = "") -> Judged:
        """Take a delivery off the desk; return what became of it, kept in the files named.

        Raise E202 if a record is lost or invented.
        """
        tally, delivery = self.tally, read.delivery
        if read.received != tally.clean + tally.quarantined:
            raise ExamsError(
                "E202",
                f"{delivery.file}: {read.received:,} records were received, but "
                f"{tally.clean:,} are clean and {tally.quarantined:,} in quarantine.",
                "Nothing was handed on; keep the file and report this defect.",
            )
        resolves = Counter(n for batch in self.resolved for n in batch["delivery"].to_pylist())
        self.quarantined.add(delivery.number, delivery.sha256, self.lines)
        self._clear()
        return Judged(
            delivery=delivery,
            received=read.received,
            clean=tally.clean,
            quarantined=tally.quarantined,
            parts=parts,
            resolved=resolved,
            resolves=tuple(sorted(resolves.items())),
            reasons=tuple((*key, n) for key, n in sorted(tally.reasons.items())),
            repairs=tuple((*key, n) for key, n in sorted(tally.repairs.items())),
            unknown=tuple((d, len(tally.strange[d]), n) for d, n in tally.unknown.items()),
            seen=tuple((s.name, *tally.seen[s.name]) for s in self.contract.scores
                       if s.name in tally.seen),
        )  # fmt: skip

    def _hold(self, wrong: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
        for rows in wrong:
            self.tally.hold(rows)
        quarantine = pa.concat_batches([NOTHING_HELD, *wrong])
        lines = distinct(to_numpy(quarantine.column("line")))
        self.lines.append(lines)
        self.tally.quarantined += len(lines)
        return quarantine


def check_limit(judged: Iterable[Judged], contract: Contract) -> None:
    """Raise E208 if a file has more records in quarantine than the contract allows.

    Those that were delivered again, corrected, do not count. Corrections files themselves are
    left out: they hold nothing but doubtful records.
    """
    limit, judged = contract.max_quarantined, list(judged)
    resolved = Counter[int]()
    for j in judged:
        resolved.update(dict(j.resolves))
    open_ = {j: j.quarantined - resolved[j.delivery.number] for j in judged}
    over = [
        f"{j.delivery.file}: {open_[j]:,} of {j.received:,} records"
        for j in judged
        if not j.delivery.corrects and open_[j] > limit * j.received
    ]
    if over:
        what = f"Too many records would go to quarantine (over {limit:.1%}). {'; '.join(over)}."
        remedy = "Correct the file (`exams check` says why), or raise max_quarantined."
        raise ExamsError("E208", what, remedy)
