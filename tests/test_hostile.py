"""Parquet files that ask for more memory or time than they are worth are refused, not read."""

import io
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from corpus import CONTRACT
from exams.errors import ExamsError
from exams.intake.reading import pages, parquet
from exams.intake.reading.layout import inspect
from exams.intake.reading.reader import Tally, read_records
from exams.intake.reading.thrift import fields_of
from hostile import (
    CODES,
    DELTA_LENGTHS,
    DELTA_TEXTS,
    FIXED,
    I32,
    ZSTD,
    Column,
    Repeated,
    coded,
    column,
    dictionary,
    footer,
    page,
    run,
    value,
    varint,
)
from hostile import (
    parquet as made_of,
)

ROOT = Path(__file__).parents[1]
LIMIT = 100_000_000  # bytes
HUGE = 2**31 - 1
N = 1_000
POINTS, MARK = coded("points", value(b"3"), N), coded("mark", value(b"4"), N)
MEGABYTE = b"x" * 1_000_000


def beside(track: Column, rows: int = N, **more) -> bytes:
    """Return a file with a column `track` that is made up, and the other columns."""
    others = [coded(name, value(b"3"), abs(rows)) for name in ("points", "mark")]
    return made_of([track, *others], rows, **more)


def with_end(length: int) -> bytes:
    """Return a file whose end says another length of its footer."""
    return beside(coded("track", value(b"north"), N))[:-8] + struct.pack("<L", length) + b"PAR1"


def huge_dictionary() -> Column:
    first, codes = dictionary(b"x", 1, unpacked=HUGE), page(run(0, N), N, CODES)
    return Column("track", first + codes, N, codec=ZSTD, dictionary=len(first))


def one_page(body: bytes, encoding: int = 0, **more) -> Column:
    return Column("track", page(body, N, encoding, **more), N)


def no_pages(**parts) -> bytes:
    """Return a file that is a footer alone, with some of its parts made up."""
    schema = [{4: "schema", 5: I32(1)}, {1: I32(6), 3: I32(0), 4: "track"}]
    groups, keys = parts.get("groups", []), parts.get("keys", [])
    return b"PAR1" + footer({1: I32(1), 2: parts.get("schema", schema), 3: 0, 4: groups, 5: keys})


DEEP = [{4: "schema", 5: I32(1)}, *[{3: I32(1), 4: "a", 5: I32(1)}] * 20_000, {1: I32(6), 4: "t"}]
MANY = Repeated({1: Repeated({2: 0}, 900_000), 2: 0, 3: 0}, 5)  # groups of columns
RUN = varint(1 << 20) + varint(4) + varint(400_000_000) + varint(0) + (b"\0" * 5) * 400
REFUSED = {
    "a page that unpacks to 2 GiB": (lambda: beside(one_page(b"x", unpacked=HUGE)), "E115"),
    "a dictionary of 2 GiB": (lambda: beside(huge_dictionary()), "E115"),
    "a dictionary of 100 million empty texts": (
        lambda: beside(
            Column("track", dictionary(b"x", 20_000_000, unpacked=80_000_000) + page(b"", N), N)
        ),
        "E124",
    ),
    "a text of 1 MB in all of 50,000 rows": (
        lambda: beside(coded("track", value(MEGABYTE), 50_000), 50_000),
        "E115",
    ),
    "a text of fixed size, 1 MB, in all of 50,000 rows": (
        lambda: beside(
            coded("track", MEGABYTE, 50_000, kind=FIXED, more={2: I32(len(MEGABYTE))}), 50_000
        ),
        "E115",
    ),
    "2**31 rows in a few bytes": (
        lambda: beside(coded("track", value(b"north"), HUGE), HUGE),
        "E115",
    ),
    "a page that claims 2**31 values": (
        lambda: beside(Column("track", page(run(0, HUGE), HUGE, CODES), N)),
        "E115",
    ),
    "the same bytes in 20,000 groups of rows": (
        lambda: beside(coded("track", value(b"north"), N), groups=20_000, claimed=0),
        "E115",
    ),
    "400 million lengths of texts in a run": (lambda: beside(one_page(RUN, DELTA_LENGTHS)), "E124"),
    "texts that share all but a byte with the one before": (
        lambda: beside(one_page(RUN, DELTA_TEXTS)),
        "E124",
    ),
    "fewer rows than none": (lambda: beside(coded("track", value(b"north"), N), -N), "E114"),
    "a page of less than no bytes": (lambda: beside(one_page(b"x", unpacked=-1)), "E114"),
    "a code that the dictionary does not have": (
        lambda: beside(
            Column(
                "track",
                (d := dictionary(value(b"a"), 1)) + page(run(7, N), N, CODES),
                N,
                dictionary=len(d),
            )
        ),
        "E114",
    ),
    "a name that is not UTF-8": (
        lambda: beside(coded("träck", value(b"a"), N)).replace("träck".encode(), b"tr\xffxck"),
        "E107",
    ),
    "no page where one should be": (lambda: beside(Column("track", b"\xff" * 99, N)), "E114"),
    "millions of columns in the footer": (lambda: no_pages(groups=MANY), "E124"),
    "a name of 20 MB": (lambda: made_of([coded("x" * 20_000_000, value(b"3"), N)], N), "E124"),
    "900,000 empty notes": (lambda: no_pages(keys=Repeated({1: ""}, 900_000)), "E102"),
    "records in records, 20,000 deep": (lambda: no_pages(schema=DEEP), "E114"),
    "a footer said to be longer than the file": (lambda: with_end(HUGE), "E114"),
    "a footer said to be shorter than it is": (lambda: with_end(3), "E114"),
    "a footer cut off": (lambda: beside(coded("track", value(b"north"), N))[:-20], "E114"),
}


def read(path, contract):
    """Return the records of a file as lists of texts."""
    layout, tally = inspect(path, path.name, contract, LIMIT), Tally()
    batches = list(read_records(path, path.name, layout, tally, LIMIT))
    columns = [
        [batch.column(name).to_pylist() for batch in batches] for name in layout.header.places
    ]
    return [[value for part in column for value in part] for column in columns]


@pytest.fixture
def contract(contract_of):
    return contract_of(CONTRACT)


def test_hostile_files_are_refused_with_a_code_in_little_memory(tmp_path):
    for name in ("env.yaml", "pipeline.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    settings = tmp_path / "env.yaml"
    settings.write_text(settings.read_text().replace("4_000_000_000", str(LIMIT)))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/contract.yaml").write_text(yaml.safe_dump(CONTRACT))
    for name, (content, _) in REFUSED.items():
        (tmp_path / f"{name}.parquet").write_bytes(content())
    done = subprocess.run(
        [Path(sys.executable).with_name("exams"), "check", "--json", *tmp_path.glob("*.parquet")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30)),
    )
    assert (done.returncode, done.stderr) == (2, "")
    files = json.loads(done.stdout)["files"]
    codes = {
        found["file"].removesuffix(".parquet"): (found["refusal"] or {}).get("code")
        for found in files
    }
    assert codes == {name: code for name, (_, code) in REFUSED.items()}


def test_the_pages_that_files_are_made_of_here_are_right(tmp_path, contract):
    path = tmp_path / "results.parquet"
    path.write_bytes(made_of([coded("track", value(b"north"), N), POINTS, MARK], N))
    assert read(path, contract) == [[b"north"] * N, [b"3"] * N, [b"4"] * N]
    plain = Column("track", page(value(b"a") + value(b"bc"), 2), 2)
    path.write_bytes(made_of([plain, column("points", b"1", b"2"), column("mark", b"", b"3")], 2))
    assert read(path, contract) == [[b"a", b"bc"], [b"1", b"2"], [b"", b"3"]]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_dictionary": False, "compression": "zstd"},
        {"data_page_version": "2.0", "compression": "gzip"},
        {"row_group_size": 700, "data_page_size": 2_000, "compression": "none"},
        {"use_dictionary": ["track"], "column_encoding": {"points": "DELTA_BINARY_PACKED"}},
    ],
    ids=str,
)
def test_a_file_of_usual_settings_is_read_to_the_value(tmp_path, contract, settings, monkeypatch):
    monkeypatch.setattr(pages, "ROWS", 1_000)  # of a batch
    n = 5_000
    tracks = [None if i % 7 == 0 else f"track {i % 3_000}" for i in range(n)]
    table = pa.table(
        {
            "track": pa.array(tracks, pa.large_string() if "use_dictionary" in settings else None),
            "points": pa.array(range(n), pa.int64()),
            "mark": pa.array([i / 2 for i in range(n)]),
        }
    )
    path = tmp_path / "results.parquet"
    pq.write_table(table, path, **settings)
    found = read(path, contract)
    assert found[0] == [(track or "").encode() for track in tracks]
    assert found[1] == [str(i).encode() for i in range(n)]
    assert found[2] == [f"{i / 2:g}".encode() for i in range(n)]


def test_rows_with_long_texts_come_in_smaller_batches(monkeypatch, small):
    monkeypatch.setattr(parquet, "BATCH", 20)  # bytes
    table = pa.table({"track": ["north", "x" * 30, "süd", "y"], "points": [1, 2, 3, 4]})
    file = io.BytesIO()
    pq.write_table(table, file)
    monkeypatch.setattr(parquet, "_batches", lambda *_: table.select(["track"]).to_batches())
    batch = parquet._as_text(table.column("track").chunk(0))
    whole = pa.record_batch([pa.array(range(4)), batch], ["line", "track"])
    parts = [(part.column("line").to_pylist(), size) for part, size in parquet._parts(whole)]
    assert parts == [([0], 5), ([1], 30), ([2, 3], 5)]


def test_a_struct_ends_where_it_says_and_what_no_header_has_is_an_error():
    assert fields_of(b"\x15\x06\x18\x02ab\x1c\x11\x12\0\0rest") == (
        {1: 3, 2: 2, 3: {1: True, 2: False}},
        11,
    )
    for raw in (
        b"",
        b"\x15",
        b"\x15\xff",
        b"\x1c" * 20,
        b"\x19\xf5\x7f\0",
        b"\x1b\0",
        b"\x15" + b"\xff" * 11,
    ):
        with pytest.raises((IndexError, ValueError)):
            fields_of(raw)


def test_a_file_with_very_many_pages_is_refused(tmp_path, contract, monkeypatch):
    monkeypatch.setattr(pages, "MOST", 5)
    path = tmp_path / "results.parquet"
    path.write_bytes(beside(coded("track", value(b"north"), N)))
    with pytest.raises(ExamsError, match=r"E124 results\.parquet has more than 5 pages\."):
        read(path, contract)
