"""Reading a file: every record with its line, or an error that says why not."""

import pytest

from exams.errors import ExamsError
from exams.intake.layout import inspect
from exams.intake.reader import Tally, read_records

LIMIT = 64 << 20


@pytest.fixture
def read(small, tmp_path):
    """Return a function that reads text: (line, track) of each record, and the tally."""

    def run(text):
        path = tmp_path / "north.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        tally = Tally()
        layout = inspect(path, path.name, small, LIMIT)
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


def test_columns_may_come_in_another_order_and_under_their_titles(read):
    records, tally = read("MARK,extra, Points ,Track\n1,x,2,south\n")
    assert records == [(2, "south")]
    assert tally.ignored == ("extra",)


def test_a_byte_order_mark_is_no_part_of_the_header(read):
    assert read(b"\xef\xbb\xbftrack,points,mark\nnorth,1,2\n")[0] == [(2, "north")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_counts_once(read, end):
    text = end.join(["track,points,mark", '"a' + end + 'b",1,2', "short", "south,3,4", ""])
    records, tally = read(text)
    assert [line for line, _ in records] == [2, 5]
    assert [line for line, _ in tally.malformed] == [4]


def test_a_header_alone_has_no_records(read):
    assert read("track,points,mark")[0] == []
    assert read("track,points,mark\n")[1].received == 0


def test_doubled_quotes_inside_a_value_are_no_mistake(read):
    assert read('track,points,mark\n"a ""b"" c",1,2\n"""",3,""\n')[0] == [
        (2, 'a "b" c'),
        (3, '"'),
    ]


def test_a_file_of_many_blocks_keeps_its_lines(read):
    body = "".join(
        f"north,{n},2\n" + ("short\n" if n % 90_000 == 7 else "") for n in range(900_000)
    )
    records, tally = read("track,points,mark\n" + body)
    assert len(body) > 10 << 20
    lines = [line for line, _ in records]
    bad = [line for line, _ in tally.malformed]
    assert sorted(lines + bad) == list(range(2, 900_000 + len(bad) + 2))
    assert bad == [90_000 * k + 10 + k for k in range(10)]


def test_values_are_handed_on_as_received(read):
    assert read('track,points,mark\n" North ",1,2\n')[0] == [(2, " North ")]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "E101", "no header"),
        (b"\x89PNG\r\n\x00\x00", "E101", "no header"),
        ("track,points\nnorth,1\n", "E102", "no column mark"),
        ("track;points;mark\nnorth;1;2\n", "E102", "no column track"),
        ("north,1,2\nsouth,3,4\n", "E102", "no column track"),
        ("track,points,mark,Track\nnorth,1,2,3\n", "E102", "track occurs twice"),
        ('track,points,mark\n"north,1,2\nsouth,3,4\n', "E103", "open"),
        ('track,points,mark\nnorth,1,"2\nsouth,3,4', "E103", "open"),
        ('track,points,mark\nnorth,1,2\nnorth,3,"4', "E103", "open"),
        ('track,points,mark,note\nnorth,1,2,"\nsouth,3,4,\n"\n', "E103", "whole records"),
        ('track,points,mark\n"north\nsouth,3,4\nsouth,5,6\nwest",1\n', "E103", "whole records"),
        ('track,points,mark\nnorth,1,2\n"no"rth,3,4\n', "E108", "line 3: a quote stands inside"),
        (b"track,points,mark\nnorth,1,2\nm\xfcd,3,4\n", "E107", "line 3: this is not UTF-8"),
        (b"track,points,mark\nnorth,1\nm\xfcd,3\n", "E107", "line 3: this is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(read, text, code, says):
    with pytest.raises(ExamsError) as raised:
        read(text)
    assert raised.value.code == code
    assert says in str(raised.value)
    assert "north.csv" in raised.value.message
