"""Judges parts one after the other and writes what becomes of them: clean, or in quarantine."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from exams.contract import Contract
from exams.intake.arrays import to_numpy
from exams.intake.flow import Aside
from exams.intake.judging.corrections import in_order, named_deliveries, reference
from exams.intake.judging.desk import Desk
from exams.intake.judging.identifiers import RunKey
from exams.intake.parts import (
    Delivery,
    Extracted,
    Judged,
    Part,
    delivery_of,
    marked,
    read_part,
    write_part,
)
from exams.statistics.cube import Cube
from exams.statistics.folds import fold_of

CUBE = "cube.npz"
Read = Delivery | Part | Extracted


class Writer:
    """Takes the stream of extract, whose parts lie in `raw`; what becomes of it goes to `out`.

    mark: goes into the names of the parts, see `part_name`. key: that of the run.
    """

    def __init__(
        self,
        raw: Path,
        contract: Contract,
        out: Path,
        key: RunKey | None = None,
        mark: str = "",
    ) -> None:
        self.raw, self.out, self.mark = raw, out, mark
        self.desk, self._cube = Desk(contract, key), Cube.empty(contract)
        self._aside = Aside()  # counts the records of a part while the next one is judged
        self.names: list[str] = []

    @property
    def cube(self) -> Cube:
        """The cube of all records that were taken."""
        self._aside.finish()
        return self._cube

    def take(self, item: Read) -> Delivery | Part | Judged:
        """Take a delivery, judge a part of it, or close it when all were judged."""
        if isinstance(item, Delivery):
            return item
        if isinstance(item, Extracted):
            names, self.names = tuple(self.names), []
            return self.desk.close(item, names, self._write_resolved(item.delivery))
        batch = read_part(self.raw / item.name)
        judged = marked(item, self.mark) if self.mark else item
        if item.malformed:
            quarantine = self.desk.malformed(to_numpy(batch.column("line")))
        else:
            clean, quarantine = self.desk.judge(batch, item.delivery.corrects)
            fold = fold_of(item.delivery.sha256, clean.line)
            self._aside.do(partial(self._cube.add, clean.profile, clean.scores, fold))
            write_part(self.out / judged.name, clean.batch())
        write_part(self.out / judged.quarantine, quarantine)
        self.names.append(judged.name)
        return judged

    def _write_resolved(self, delivery: Delivery) -> str:
        found = [batch for batch in self.desk.resolved if len(batch)]
        if not found:
            return ""
        name = f"resolved-{delivery.number:03}.arrow"
        return write_part(self.out / name, pa.concat_batches(found))


def ordered(items: Sequence[Read], raw: Path) -> list[Read]:
    """Return the stream of corrections files so that each follows those that it corrects."""
    numbers = {reference(d.sha256): d.number for d in map(delivery_of, items)}
    groups: dict[int, list[Read]] = {number: [] for number in numbers.values()}
    named: dict[int, set[int]] = {number: set() for number in groups}
    for item in items:
        number = delivery_of(item).number
        groups[number].append(item)
        if isinstance(item, Part) and not item.malformed:
            words = named_deliveries(read_part(raw / item.name))
            named[number] |= {numbers[word] for word in words & numbers.keys()}
    return [item for number in in_order(named) for item in groups[number]]
