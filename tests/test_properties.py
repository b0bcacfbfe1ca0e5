"""What holds for any delivery: nothing lost, nothing changed unsaid, no order or split that counts.

Deliveries are drawn at random: clean and broken values, missing and extra cells, blank lines,
quotes, line breaks inside values, any line end. What must come of them is found by a slow reading
with Python's csv module and a judge of a few lines, which share no code with the product.
"""

import csv
import io
import re
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from unittest import mock

import yaml
from given import SMALL
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exams.contract import read_contract
from exams.errors import ExamsError
from exams.intake import reader
from exams.intake.judge import REASONS
from exams.places import Places
from exams.stages.extract import extract, find_deliveries
from exams.stages.load import load
from exams.stages.transform import transform

QUARTER = "2024Q1"
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]


def drawn(examples):
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=CHECKS
    )


# The product, as these tests use it.


def build(places, quarter):
    """Extract, transform and load a quarter."""
    contract = read_contract(places.contract)
    inbox, raw, clean = places.delivery(quarter), *(places.interim(quarter, s) for s in "ab")
    extract(inbox, find_deliveries(inbox), contract, raw)
    transform(raw, contract, clean)
    load(clean, contract, places.warehouse, quarter)


def read(path, tally):
    yield from reader.read_records(path, read_contract(path.parent / "contract.yaml"), tally)


@contextmanager
def office():
    """Yield the places of a new office: its contract, its key, and nothing delivered."""
    with tempfile.TemporaryDirectory() as folder:
        places = Places.of(Path(folder, "data"), Path(folder, "reports"))
        key = places.warehouse.with_name("key")
        key.write_bytes(b"k" * 32)
        places.contract.write_text(yaml.safe_dump(SMALL))
        yield places


def deliver(places, files, quarter=QUARTER):
    folder = places.delivery(quarter)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def loaded(places, query):
    with closing(sqlite3.connect(places.warehouse)) as connection:
        return connection.execute(query).fetchall()


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
ENCODINGS = ["utf-8", "utf-8-sig"]


def padded(values):
    return st.builds(lambda a, value, b: a + value + b, PADDING, values, PADDING)


def mostly(values):
    """Draw a value that is right in two of three, and none that is so in the others."""
    return st.one_of(padded(values), padded(values), st.one_of(ODD, TEXT))


CELLS = {"track": mostly(LEVELS), "points": mostly(POINTS), "mark": mostly(MARKS), "note": TEXT}
RECORD = st.fixed_dictionaries(CELLS)
END = st.sampled_from(["\n", "\r\n", "\r"])
SELDOM = st.sampled_from([False] * 5 + [True])


def cell(value, quoted):
    if quoted or re.search('[,"\r\n]', value):
        return '"' + value.replace('"', '""') + '"'
    return value


def rendered(draw, columns, records, spoil=False):
    """Return the bytes of a delivery of `records` with these columns."""
    ends = draw(st.one_of(END.map(st.just), st.just(END)))  # one throughout, or mixed
    header = [draw(st.sampled_from(NAMES.get(name, [name]))) for name in columns]
    text = ",".join(header) + draw(ends)
    for record in records:
        cells = [cell(record[name], draw(st.booleans())) for name in columns]
        # A value over two lines in a ragged record may be taken for a quote left open.
        if spoil and not any(map(re.compile("[\r\n]").search, cells)) and draw(SELDOM):
            width = draw(st.integers(0, len(cells) + 2))
            cells = (cells + ["more"] * 2)[:width]
        text += ",".join(cells) + draw(ends)
    if draw(st.booleans()):
        text = text.rstrip("\r\n") or text
    return text.encode(draw(st.sampled_from(ENCODINGS)))


@st.composite
def deliveries(draw):
    """Draw the files of a quarter: name -> bytes, no two of them equal."""
    files = {}
    for number in range(draw(st.integers(1, 3))):
        columns = draw(st.permutations(["track", "points", "mark"]))
        columns += draw(st.sampled_from([[], ["note"]]))
        records = draw(st.lists(RECORD, min_size=1, max_size=8))
        files[f"{number}.csv"] = rendered(draw, columns, records, spoil=True)
    assume(len(set(files.values())) == len(files) and all(map(any, map(slow, files.values()))))
    return files


# What must come of them.

REFUSED = object()


def slow(content):
    """Return (line, record) of a delivery: where a record starts, None for one of other width."""
    records = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
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


def expected(content):
    """Return clean records, line -> values, and held ones, line -> {column: value}."""
    clean, held = {}, {}
    for line, record in slow(content):
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


@drawn(100)
@given(deliveries())
def test_every_record_is_loaded_as_it_was_or_held_with_all_of_its_reasons(files):
    with office() as places:
        deliver(places, files)
        build(places, QUARTER)
        for file, content in files.items():
            where = f"WHERE file = '{file}'"
            clean, held = expected(content)
            rows = loaded(places, f"SELECT line, track, points, mark FROM results {where}")
            assert {line: tuple(values) for line, *values in rows} == clean
            away = loaded(places, f'SELECT line, "column", value, reason FROM quarantine {where}')
            assert {(line, column) for line, column, *_ in away} == {
                (line, column) for line, columns in held.items() for column in columns
            }
            assert all(v == held[line][column] for line, column, v, _ in away if column != "*")
            assert {reason for *_, reason in away} <= set(REASONS)
            counts = loaded(places, f"SELECT received, loaded, quarantined FROM delivery {where}")
            assert counts == [(len(clean) + len(held), len(clean), len(held))]


CUBE = {
    "cube": "n, complete, at_risk",
    "cube_value": "score, steps, n",
    "cube_moment": "score, other, total",
}


def statistics(places, quarter=QUARTER):
    """Return the cube of a quarter, by the levels of its profiles."""
    tables = {
        table: sorted(
            loaded(
                places,
                f"SELECT p.track, {columns} FROM {table} c JOIN profile p ON p.id = c.profile"
                f" WHERE c.quarter = '{quarter}'",
            )
        )
        for table, columns in CUBE.items()
    }
    combined = f"SELECT points, mark, n FROM cube_combination WHERE quarter = '{quarter}'"
    return tables | {"combinations": sorted(loaded(places, combined))}


def rows(places):
    """Return loaded and held records without their keys, each as often as it occurs."""
    held = 'SELECT "column", value, reason FROM quarantine'
    return [
        Counter(loaded(places, query))
        for query in ("SELECT track, points, mark FROM results", held)
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
        f"{number}.csv": rendered(draw, columns, [r | {"note": str(number)} for r in part])
        for number, part in enumerate(parts)
    }
    whole = rendered(draw, columns, [record | {"note": "all"} for record in records])
    longest = max(map(len, whole.splitlines()))  # a header or a record has to fit in
    assume(all(map(any, map(slow, [whole, *files.values()]))))
    return whole, files, draw(st.integers(longest + 60, 4 * longest + 60))


@drawn(60)
@given(splits())
def test_files_and_parts_may_be_cut_anywhere(split):
    whole, files, block = split
    with office() as places, office() as others:
        deliver(places, {"all.csv": whole})
        build(places, QUARTER)
        deliver(others, files)
        with mock.patch.object(reader, "BLOCK", block):
            build(others, QUARTER)
        assert rows(others) == rows(places)
        assert statistics(others) == statistics(places)


def state(places):
    """Return all that the warehouse holds, but for numbers and times that it gave itself."""
    queries = {
        "results": "SELECT * FROM results",
        "quarantine": 'SELECT quarter, file, line, "column", value, reason FROM quarantine',
        "delivery": "SELECT quarter, file, sha256, bytes, received, loaded, quarantined, removed"
        " FROM delivery",
        "loaded": "SELECT * FROM loaded",
    }
    cubes = {quarter: statistics(places, quarter) for quarter in ("2024Q1", "2024Q2")}
    return cubes | {name: Counter(loaded(places, query)) for name, query in queries.items()}


@st.composite
def histories(draw):
    """Draw the files of two quarters, and two orders in which they come."""
    first, second = draw(deliveries()), draw(deliveries())
    assume(not set(first.values()) & set(second.values()))
    files = [("2024Q1", *file) for file in first.items()]
    files += [("2024Q2", *file) for file in second.items()]
    return draw(st.permutations(files)), draw(st.permutations(files))


@drawn(20)
@given(histories())
def test_the_order_of_deliveries_leaves_no_trace(orders):
    one, other = orders
    with office() as places, office() as others:
        for quarter, name, content in one:  # built after each delivery
            deliver(places, {name: content}, quarter)
            build(places, quarter)
        for quarter, name, content in other:  # built once all are there
            deliver(others, {name: content}, quarter)
        for quarter in dict.fromkeys(quarter for quarter, *_ in other):
            build(others, quarter)
        assert state(places) == state(others)


PIECES = st.sampled_from([
    "north,1,2\n", '"south",3,"4"\r\n', 'n,"', '",', ",", '"', '""', "\n", "\r", "\r\n", " ",
    "\u00e9;",
])  # fmt: skip


@drawn(300)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from([128, reader.BLOCK]))
def test_the_reader_reads_what_any_reader_reads_or_refuses(body, block):
    content = b"track,points,mark\n" + body.encode()
    with office() as places, mock.patch.object(reader, "BLOCK", block):
        path = places.data / "any.csv"
        path.write_bytes(content)
        tally, found = reader.Tally(), []
        try:
            for batch in read(path, tally):
                found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        except ExamsError:
            return
        away = [line for line, _ in tally.malformed]
        try:
            records = slow(content)
        except csv.Error:  # a stray quote: what was taken for a record stands there all the same
            lines = content.decode().replace('"', "").splitlines(keepends=True)
            for line, *values in found:
                rest = "".join(lines[line - 1 :]).encode()
                assert all(value.replace(b'"', b"") in rest for value in values)
            assert tally.received == len(found) + len(away)
            return
        assert found == [(line, *map(str.encode, r.values())) for line, r in records if r]
        assert away == [line for line, r in records if not r]
        assert tally.received == len(records)
