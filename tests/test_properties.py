"""What holds for any delivery: nothing lost, nothing changed unsaid, no order or split that counts.

Deliveries are drawn at random: clean and broken values, missing and extra cells, blank lines,
quotes, line breaks inside values, any line end. What must come of them is found by a slow reading
with Python's csv module and a judge of a few lines, which share no code with the product.
"""

import csv
import gzip
import io
import re
import tempfile
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import yaml
from given import SMALL
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from office import LIMIT, QUARTER, Office

from exams.contract import read_contract
from exams.errors import ExamsError
from exams.intake.judging.judge import REASONS
from exams.intake.reading import blocks, unpack
from exams.intake.reading.layout import inspect
from exams.intake.reading.reader import Tally, read_records


def drawn(examples):
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=checks
    )


@contextmanager
def offices():
    """Yield a function that opens offices: all with one contract and one key, nothing delivered."""
    with tempfile.TemporaryDirectory() as folder:
        contract = Path(folder, "contract.yaml")
        contract.write_text(yaml.safe_dump(SMALL))

        def opened(name="office"):
            office = Office(Path(folder, name), read_contract(contract))
            (office.places.private / "key").write_bytes(b"k" * 32)
            return office

        yield opened


@contextmanager
def blocks_of(size):
    """Have files read in blocks of so many bytes."""
    with mock.patch.object(blocks, "BLOCK", size), mock.patch.object(unpack, "CHUNK", size):
        yield


# Deliveries, drawn at random.

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters=',;|"'),
    max_size=6,
)
ODD = st.sampled_from([
    "", "-", " - ", "72,5", "7e1", "0x7", "50%", "-1", "11", "1.55", "5.00", "1_0", "=1+1", "<b>",
    "\uff17", '"', 'a "b" c', 'x","y', "a\nb", "x\r\ny", "a\rb", "\n", "5\n",
])  # fmt: skip
PADDING = st.sampled_from(["", "", "", " ", "\u00a0", "\u200b", "\t "])
LEVELS = st.sampled_from(["north", "south", "North", "SOUTH", "n"])
POINTS = st.integers(0, 10).map(str)
MARKS = st.integers(10, 60).map(lambda steps: f"{steps / 10}")
NAMES = {"track": ["track", "Track", "TRACK "], "points": ["points", "Points"], "mark": ["mark"]}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]


def padded(values):
    return st.builds(lambda a, value, b: a + value + b, PADDING, values, PADDING)


def mostly(values):
    """Draw a value that is right in two of three, and none that is so in the others."""
    return st.one_of(padded(values), padded(values), st.one_of(ODD, TEXT))


CELLS = {"track": mostly(LEVELS), "points": mostly(POINTS), "mark": mostly(MARKS), "note": TEXT}
RECORD = st.fixed_dictionaries(CELLS)
END = st.sampled_from(["\n", "\r\n", "\r"])
SELDOM = st.sampled_from([False] * 5 + [True])


class File(NamedTuple):
    """A delivery, and the text that it holds."""

    content: bytes
    text: str
    separator: str


def cell(value, separator, quoted):
    if quoted or separator in value or re.search('["\r\n]', value):
        return '"' + value.replace('"', '""') + '"'
    return value


def rendered(draw, columns, records, spoil=False):
    """Return a delivery of `records` with these columns."""
    separator, end = draw(st.sampled_from(",;\t|")), draw(st.one_of(END.map(st.just), st.just(END)))
    header = [draw(st.sampled_from(NAMES.get(name, [name]))) for name in columns]
    text = separator.join(header) + draw(end)
    for record in records:
        cells = [cell(record[name], separator, draw(st.booleans())) for name in columns]
        if spoil and draw(SELDOM):
            ragged = (cells + ["more"] * 2)[: draw(st.integers(0, len(cells) + 2))]
            below = re.split("\r\n|\r|\n", separator.join(ragged))[1:]
            if all(line.count(separator) < len(columns) - 1 for line in below):
                cells = ragged  # else it would be taken for a quote left open
        text += separator.join(cells) + draw(end)
    if draw(SELDOM):
        text = text.rstrip("\r\n")
    content = encoded(text, draw(st.sampled_from(ENCODINGS)))
    return File(gzip.compress(content, 1, mtime=0) if draw(SELDOM) else content, text, separator)


def encoded(text, encoding):
    """Return `text` in that encoding; in UTF-8 where it has no such letter, or could be both."""
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode()
    ambiguous = encoding == "cp1252" and content.decode(errors="ignore").encode() == content
    return text.encode() if ambiguous else content


@st.composite
def deliveries(draw):
    """Draw the files of a quarter by their names, no two of them equal."""
    files = {}
    for number in range(draw(st.integers(1, 3))):
        columns = draw(st.permutations(["track", "points", "mark"]))
        columns += draw(st.sampled_from([[], ["note"]]))
        records = draw(st.lists(RECORD, min_size=1, max_size=8))
        files[f"{number}"] = rendered(draw, columns, records, spoil=True)
    assume(len({file.content for file in files.values()}) == len(files))
    assume(all(slow(file) for file in files.values()))
    return files


# What must come of them.

REFUSED = object()


def slow(file):
    """Return (line, record) of a delivery: where a record starts, None for one of other width."""
    text = io.StringIO(file.text, newline="")
    records = csv.reader(text, delimiter=file.separator, strict=True)
    header = next(records)
    columns = [word.strip().lower() for word in header]
    found, start = [], records.line_num + 1
    for cells in records:
        record = cells or [""] * len(header)  # a blank line
        whole = len(record) == len(header)
        found.append((start, dict(zip(columns, record, strict=True)) if whole else None))
        start = records.line_num + 1
    return found


def stated(text):
    word = text.translate(dict.fromkeys(map(ord, INVISIBLE))).strip().casefold()
    word = word.translate({ord("\uff17"): "7"})
    return "" if word == "-" else word


def naive(name, text):
    """Return what a value means, or REFUSED."""
    word = stated(text)
    if name == "track":
        return {"north": "north", "n": "north", "south": "south"}.get(word, REFUSED)
    if not word:
        return None if name == "mark" else REFUSED
    if not re.fullmatch(r"-?\d+(\.\d+)?", word, re.ASCII):
        return REFUSED
    low, high, step = (0, 10, "1") if name == "points" else (1, 6, "0.1")
    number = Decimal(word)
    return float(number) if low <= number <= high and not number % Decimal(step) else REFUSED


def expected(file):
    """Return clean records, line -> values, and held ones, line -> {column: value}."""
    clean, held = {}, {}
    for line, record in slow(file):
        fields = record and {name: record[name] for name in ("track", "points", "mark")}
        if not fields or not any(map(stated, fields.values())):
            held[line] = {"*": None}
            continue
        meant = {name: naive(name, text) for name, text in fields.items()}
        wrong = {name: fields[name] for name, value in meant.items() if value is REFUSED}
        if wrong:
            held[line] = wrong
        else:
            clean[line] = tuple(meant.values())
    return clean, held


PLAIN = {"track": "north|south", "points": "[0-9]|10", "mark": r"[1-6](\.[0-9])?"}


def repaired(file, clean):
    """Return by field how many clean records have a value that does not stand there plainly."""
    records = [record for line, record in slow(file) if line in clean]
    return Counter(
        name
        for record in records
        for name, form in PLAIN.items()
        if not re.fullmatch(form, record[name])
    )


@drawn(100)
@given(deliveries())
def test_every_record_is_loaded_as_it_was_or_held_with_all_of_its_reasons(files):
    with offices() as opened:
        office = opened()
        office.deliver(**{name: file.content for name, file in files.items()})
        office.stream()
        for name, file in files.items():
            where = f"WHERE file = '{name}.csv'"
            clean, held = expected(file)
            rows = office.rows(f"SELECT line, track, points, mark FROM results {where}")
            assert {line: tuple(values) for line, *values in rows} == clean
            away = office.rows(f'SELECT line, "column", value, reason FROM quarantine {where}')
            assert {(line, column) for line, column, *_ in away} == {
                (line, column) for line, columns in held.items() for column in columns
            }
            assert all(v == held[line][column] for line, column, v, _ in away if column != "*")
            assert {reason for *_, reason in away} <= set(REASONS)
            declared = office.rows(
                "SELECT field, max(records), sum(records) FROM repair"
                f" JOIN delivery ON id = delivery {where} GROUP BY field"
            )
            touched = repaired(file, clean)
            assert {field for field, *_ in declared} == set(touched)
            assert all(most <= touched[field] <= total for field, most, total in declared)
            counts = office.rows(f"SELECT received, loaded, quarantined FROM delivery {where}")
            assert counts == [(len(clean) + len(held), len(clean), len(held))]


CUBE = {
    "cube": "n, complete, at_risk",
    "cube_value": "score, steps, n",
    "cube_moment": "score, other, total",
}


def statistics(office, quarter=QUARTER):
    """Return the cube of a quarter, by the levels of its profiles."""
    tables = {
        table: sorted(
            office.rows(
                f"SELECT p.track, {columns} FROM {table} c JOIN profile p ON p.id = c.profile"
                f" WHERE c.quarter = '{quarter}'",
            )
        )
        for table, columns in CUBE.items()
    }
    combined = f"SELECT points, mark, n FROM cube_combination WHERE quarter = '{quarter}'"
    return tables | {"combinations": sorted(office.rows(combined))}


def rows(office):
    """Return loaded and held records without their keys, each as often as it occurs."""
    held = 'SELECT "column", value, reason FROM quarantine'
    return [
        Counter(office.rows(query)) for query in ("SELECT track, points, mark FROM results", held)
    ]


@st.composite
def splits(draw):
    """Draw the same records as one file and as several, and a size of the reader's blocks.

    The ignored column tells files apart: equal ones would count once.
    """
    records = draw(st.lists(RECORD, min_size=1, max_size=12))
    cuts = draw(st.sets(st.integers(1, 11), max_size=3))
    ends = sorted({0, len(records), *(cut for cut in cuts if cut < len(records))})
    columns = ["track", "points", "mark", "note"]
    parts = [records[a:b] for a, b in pairwise(ends)]
    files = {
        f"{number}": rendered(draw, columns, [r | {"note": str(number)} for r in part])
        for number, part in enumerate(parts)
    }
    whole = rendered(draw, columns, [record | {"note": "all"} for record in records])
    assume(all(slow(file) for file in [whole, *files.values()]))
    return whole, files, draw(st.integers(1, 200))


@drawn(60)
@given(splits())
def test_files_and_parts_may_be_cut_anywhere(split):
    whole, files, block = split
    with offices() as opened:
        one, other = opened("one"), opened("other")
        one.deliver(all=whole.content)
        one.build()
        other.deliver(**{name: file.content for name, file in files.items()})
        with blocks_of(block):
            other.stream()
        assert rows(other) == rows(one)
        assert statistics(other) == statistics(one)


def state(office):
    """Return all that the warehouse holds, but for numbers and times that it gave itself."""
    queries = {
        "results": "SELECT * FROM results",
        "quarantine": 'SELECT quarter, file, line, "column", value, reason FROM quarantine',
        "delivery": "SELECT quarter, file, sha256, bytes, received, loaded, quarantined, removed"
        " FROM delivery",
        "loaded": "SELECT * FROM loaded",
    }
    cubes = {quarter: statistics(office, quarter) for quarter in ("2024Q1", "2024Q2")}
    return cubes | {name: Counter(office.rows(query)) for name, query in queries.items()}


@st.composite
def histories(draw):
    """Draw the files of two quarters, and two orders in which they come."""
    quarters = {"2024Q1": draw(deliveries()), "2024Q2": draw(deliveries())}
    files = [
        (q, name, file.content) for q, listed in quarters.items() for name, file in listed.items()
    ]
    assume(len({content for *_, content in files}) == len(files))
    return draw(st.permutations(files)), draw(st.permutations(files))


@drawn(20)
@given(histories())
def test_the_order_of_deliveries_leaves_no_trace(orders):
    with offices() as opened:
        one, other = opened("one"), opened("other")
        for quarter, name, content in orders[0]:  # built after each delivery
            one.deliver(quarter, **{name: content})
            one.stream(quarter)
        for quarter, name, content in orders[1]:  # built once all are there
            other.deliver(quarter, **{name: content})
        for quarter in dict.fromkeys(quarter for quarter, *_ in orders[1]):
            other.build(quarter)
        assert state(one) == state(other)


PIECES = st.sampled_from([
    "north,1,2\n", '"south",3,"4"\r\n', 'n,"', '",', ",", '"', '""', "\n", "\r", "\r\n", " ",
    "\u00e9;",
])  # fmt: skip


def taken(folder, file):
    """Return what the reader yields of a file: line and values of each record, and its tally."""
    path, contract = folder / "any.csv", folder / "contract.yaml"
    path.write_bytes(file.content)
    contract.write_text(yaml.safe_dump(SMALL))
    layout, tally = inspect(path, path.name, read_contract(contract), LIMIT), Tally()
    found = []
    for batch in read_records(path, path.name, layout, tally, LIMIT):
        found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return found, tally


@drawn(300)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from([1, 16, 1000]))
def test_the_reader_reads_what_any_reader_reads_or_refuses(body, block):
    text = "track,points,mark\n" + body
    file = File(text.encode(), text, ",")
    with tempfile.TemporaryDirectory() as folder, blocks_of(block):
        try:
            found, tally = taken(Path(folder), file)
        except ExamsError:
            return
    away = [line for line, _ in tally.malformed]
    assert tally.received == len(found) + len(away)
    try:
        records = slow(file)
    except csv.Error:  # a stray quote: what was taken for a record stands there all the same
        lines = text.replace('"', "").splitlines(keepends=True)
        for line, *values in found:
            rest = "".join(lines[line - 1 :]).encode()
            assert all(value.replace(b'"', b"") in rest for value in values)
        return
    assert found == [(line, *map(str.encode, r.values())) for line, r in records if r]
    assert away == [line for line, r in records if not r]
