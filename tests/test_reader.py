"""Reading a file: every record with its line, or an error that says why not."""

import gzip
import hashlib
import subprocess
import sys
import tracemalloc
from itertools import pairwise

import pytest

from corpus import row, text, workbook
from exams.errors import ExamsError
from exams.intake.reading.layout import inspect
from exams.intake.reading.reader import Tally, read_records

LIMIT = 64 << 20


@pytest.fixture
def read(small, tmp_path):
    """Return a function that reads text: (line, track) of each record, and the tally."""

    def run(text):
        path = tmp_path / "north.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        layout, tally = inspect(path, path.name, small, LIMIT), Tally()
        records = [
            (line, track.decode())
            for batch in read_records(path, path.name, layout, tally, LIMIT)
            for line, track in zip(
                batch.column("line").to_pylist(), batch.column("track").to_pylist(), strict=True
            )
        ]
        return records, tally

    return run


def test_lines_are_those_of_the_file(read):
    records, tally = read("track,points,mark\nnorth,1,2\nsouth,3,4\n")
    assert records == [(2, "north"), (3, "south")]
    assert tally.received == 2


def test_a_last_line_without_an_end_is_read(read):
    assert read("track,points,mark\nnorth,1,2\nsouth,3,4")[0] == [(2, "north"), (3, "south")]


def test_malformed_records_and_line_breaks_inside_values_keep_the_lines_right(read):
    records, tally = read(
        'track,points,mark\nnorth,1\n"a\nb",2,3\nsouth,1,2,"x\ny"\n\nlast,5,6\nend,"\n\n"\n'
    )
    assert records == [(3, "a\nb"), (7, ""), (8, "last")]
    assert [line for line, _ in tally.malformed] == [2, 5, 9]
    assert tally.received == 6


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_counts_once(read, end):
    text = end.join(["track,points,mark", '"a' + end + 'b",1,2', "short", "south,3,4", ""])
    records, tally = read(text)
    assert [line for line, _ in records] == [2, 5]
    assert [line for line, _ in tally.malformed] == [4]


def test_millions_of_short_lines_are_read_some_at_a_time(small, tmp_path):
    path = tmp_path / "north.csv"
    path.write_bytes(b"track,points,mark\n" + b"\n" * 600_000 + b'"\n"\n' * 300_000 + b"a,1,2\r")
    layout, tally, sizes = inspect(path, path.name, small, LIMIT), Tally(), []
    for batch in read_records(path, path.name, layout, tally, LIMIT):
        sizes.append(len(batch) + len(tally.malformed))
        last = batch.column("line")[-1].as_py() if len(batch) else 0
        tally.malformed.clear()
    assert (sum(sizes), last) == (900_001, 1_200_002)
    assert max(sizes) < 400_000


def test_rows_as_wide_as_a_sheet_take_little_memory(small, tmp_path):
    header = row(1, text("track"), text("points"), text("mark"))
    far = "".join(row(n, f'<c r="XFD{n}"><v>1</v></c>') for n in range(2, 2002))
    path = tmp_path / "north.xlsx"
    path.write_bytes(workbook(header + far))
    layout, tally, lines = inspect(path, path.name, small, LIMIT), Tally(), []
    tracemalloc.start()
    for _ in read_records(path, path.name, layout, tally, LIMIT):
        lines += [line for line, _ in tally.malformed]
        tally.malformed.clear()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == list(range(2, 2002))
    assert peak < 150 << 20


def test_where_a_block_is_cut_makes_no_difference(read, monkeypatch):
    records = 'süd,"\r\n",1\r\n\r\n"a\rb",2\n"""ü",1,"\n\n"\rx,y\n,,\n'
    text = "track,points,mark\r\n" + records * 3 + "end"
    whole, tally = read(text)
    monkeypatch.setattr("exams.intake.reading.blocks.LINES", 1)
    again, other = read(text)
    assert (again, other.malformed) == (whole, tally.malformed)


def test_doubled_quotes_inside_a_value_are_no_mistake(read):
    assert read('track,points,mark\n"a ""b"" c",1,2\n"""",3,""\n')[0] == [
        (2, 'a "b" c'),
        (3, '"'),
    ]


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr("exams.intake.reading.unpack.CHUNK", 4096)
    monkeypatch.setattr("exams.intake.reading.blocks.BLOCK", 4096)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("cell", ["2", '"a{end}b"', '"2"'])
def test_a_file_of_many_blocks_keeps_its_lines(read, small_blocks, end, cell):
    rows = [f"north,{n},{cell}{end}" + ("short" + end if n % 900 == 7 else "") for n in range(9000)]
    cell_lines = 1 + cell.count("{end}")
    records, tally = read(("track,points,mark" + end + "".join(rows)).replace("{end}", end))
    bad = [900 * k * cell_lines + 7 * cell_lines + cell_lines + 2 + k for k in range(10)]
    assert [line for line, _ in tally.malformed] == bad
    lines = [line for line, _ in records]
    assert len(lines) == 9000
    assert [b - a for a, b in pairwise(sorted(lines + bad))] == [
        step for n in range(9000) for step in ([cell_lines, 1] if n % 900 == 7 else [cell_lines])
    ][:-1]


def test_values_are_handed_on_as_received(read):
    assert read('track,points,mark\n" North ",1,2\n')[0] == [(2, " North ")]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ('track,points,mark\n"north,1,2\nsouth,3,4\n', "E103", "open"),
        ('track,points,mark\nnorth,1,"2\nsouth,3,4', "E103", "open"),
        ('track,points,mark\nnorth,1,2\nnorth,3,"4', "E103", "open"),
        ('track,points,mark,note\nnorth,1,2,"\nsouth,3,4,\n"\n', "E103", "whole records"),
        ('track,points,mark\n"north\nsouth,3,4\nsouth,5,6\nwest",1\n', "E103", "whole records"),
        ('track,points,mark\nnorth,1,2\n"no"rth,3,4\n', "E108", "line 3: a quote stands inside"),
        ('track,points,mark\n"a,",1,2\n"x"y,3,4\n', "E108", "line 3: a quote stands inside"),
    ],
)
def test_quotes_that_hide_or_alter_something_are_refused(read, text, code, says):
    with pytest.raises(ExamsError) as raised:
        read(text)
    assert raised.value.code == code
    assert says in str(raised.value)
    assert "north.csv" in raised.value.message


def test_a_late_quote_is_named_with_its_line_after_many_blocks(read, small_blocks):
    body = "north,1,2\n" * 9000
    with pytest.raises(ExamsError, match="line 9002: a quote never closes"):
        read("track,points,mark\n" + body + '"north,1,2\n')


@pytest.mark.parametrize("size", [8, 9])
def test_a_record_may_have_eight_mebibytes(read, size):
    text = "track,points,mark\nnorth,1,2\n" + "x" * ((size << 20) - 5) + ",1,2\nnorth,3,4\n"
    if size == 9:
        with pytest.raises(ExamsError, match=r"E118 north.csv line 3"):
            read(text)
    else:
        assert [line for line, _ in read(text)[0]] == [2, 3, 4]


def test_a_quote_left_open_in_a_large_file_is_named_with_its_line(read):
    with pytest.raises(ExamsError, match=r"E118 north.csv line 3.*quote left open"):
        read('track,points,mark\nnorth,1,2\n"north,1,2\n' + ("x" * 99 + "\n") * 200_000)


def test_the_hash_is_that_of_the_bytes_that_were_delivered(read):
    content = gzip.compress(b"track,points,mark\nnorth,1,2\n")
    assert read(content)[1].sha256 == hashlib.sha256(content).hexdigest()


def test_an_optional_column_may_be_absent_and_is_empty(small, tmp_path):
    path = tmp_path / "north.csv"
    path.write_text("points,track\n1,north\n2,south\n")
    layout = inspect(path, path.name, small, LIMIT)
    (batch,) = read_records(path, path.name, layout, Tally(), LIMIT)
    assert layout.header.absent == ("mark",)
    assert batch.schema.names == ["line", "track", "points", "mark"]
    assert batch.column("mark").to_pylist() == [b"", b""]


def test_the_words_of_some_columns_alone_are_no_second_header(read):
    text = "track,points,mark\ntrack,1,2\ntrack,points,2\n"
    assert [line for line, _ in read(text)[0]] == [2, 3]
    with pytest.raises(ExamsError, match=r"E113 north.csv line 4"):
        read(text + " TRACK,Points,mark\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes() + b"south,3,4\n"),
        lambda path: path.write_bytes(path.read_bytes()[:-4]),
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("else")) and path.write_bytes(b"else"),
    ],
    ids=["grows", "shrinks", "vanishes", "is replaced"],
)
def test_a_file_that_changes_while_it_is_read_is_refused(small, tmp_path, small_blocks, change):
    path = tmp_path / "north.csv"
    path.write_text("track,points,mark\n" + "north,1,2\n" * 9000)
    layout = inspect(path, path.name, small, LIMIT)
    batches = read_records(path, path.name, layout, Tally(), LIMIT)
    next(batches)
    change(path)
    with pytest.raises(ExamsError, match=r"E109 north\.csv"):
        list(batches)


READING = """
import sys
from pathlib import Path
from exams.contract import read_contract
from exams.intake.reading.layout import inspect
from exams.intake.reading.reader import Tally, read_records
path, contract = Path(sys.argv[1]), read_contract(Path(sys.argv[2]))
layout = inspect(path, "x", contract, 1000)
assert sum(len(batch) for batch in read_records(path, "x", layout, Tally(), 1000)) == 2
assert not {"pandas", "pyarrow.parquet", "pyarrow.compute"} & set(sys.modules)
"""


def test_reading_csv_imports_nothing_of_weight(small, tmp_path):
    path = tmp_path / "north.csv"
    path.write_text('points,track\n1,"nor\nth"\n2,south\n3\n')
    command = [sys.executable, "-c", READING, path, tmp_path / "contract.yaml"]
    assert subprocess.run(command, check=False).returncode == 0
