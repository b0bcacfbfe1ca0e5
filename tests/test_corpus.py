"""Every kind of file: read right, or refused with a code that names file and cause."""

import pytest

from corpus import CONTRACT, LIMIT, QUARANTINED, RECORDS, REFUSED, RIGHT
from exams.errors import ExamsError
from exams.intake.reading.layout import inspect
from exams.intake.reading.reader import Tally, read_records


@pytest.fixture
def read(contract_of, tmp_path):
    """Return a function that reads a case: line and values of its records, and the tally."""
    contract = contract_of(CONTRACT)

    def run(case):
        path = case.write(tmp_path)
        layout, tally = inspect(path, path.name, contract, LIMIT), Tally()
        rows = [
            row
            for batch in read_records(path, path.name, layout, tally, LIMIT)
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]
        return rows, tally

    return run


def number(raw):
    return float(raw) if raw else None


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
def test_a_right_file_is_read_right(read, case):
    rows, tally = read(case)
    assert len(rows) == tally.received == case.loads
    assert tally.malformed == []
    assert tally.read_as == case.read_as
    if case.loads == len(RECORDS):
        assert [(t.decode(), number(p), number(m)) for _, t, p, m in rows] == RECORDS


@pytest.mark.parametrize("case", QUARANTINED.values(), ids=QUARANTINED)
def test_a_bad_record_is_handed_on_as_it_is_with_its_line(read, case):
    rows, tally = read(case)
    assert tuple(line for line, _ in tally.malformed) == case.malformed
    assert tally.received == case.loads + len(case.quarantined)
    well_formed = set(case.quarantined) - set(case.malformed)
    assert well_formed <= {line for line, *_ in rows}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_trusted_is_refused_in_words(read, case):
    with pytest.raises(ExamsError) as raised:
        read(case)
    assert raised.value.code == case.refused, raised.value
    assert case.says in raised.value.message
    assert case.file in raised.value.message
