"""Feeds the reader bytes that nobody expects: `make fuzz`, or a file that once broke it.

    PYTHONPATH=.fuzz .venv/bin/python tests/fuzz_reader.py .fuzz/crash-...

For any bytes there is either an ExamsError, or records that add up: received is what was
yielded plus what was malformed, and no line stands for two records. Anything else, a hang and a
gigabyte of memory among it, ends the run, and the bytes are left as .fuzz/crash-... The corpus
stays in .fuzz/corpus: the next run starts from what this one has found.
"""

import gzip
import io
import sys
import zipfile
from pathlib import Path

import atheris
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from given import SMALL

with atheris.instrument_imports(include=["exams"]):
    from exams.contract import read_contract
    from exams.errors import ExamsError
    from exams.intake import reader

FOLDER = Path(__file__).parents[1] / ".fuzz"
CORPUS, WORDS, FILE = FOLDER / "corpus", FOLDER / "words", FOLDER / "delivery"
LIMITS = ["-timeout=20", "-rss_limit_mb=1024", "-max_len=4096", "-len_control=0"]

GOOD = 'Track,points,"mark",note\nnorth,1,2.5,\n"south",10,"6.0","two\nlines"\nn,0,-,"a ""b"""\n'
TOKENS = [*',;|\t"\n\r', "\r\n", '","', '"\n"', '""', "\ufeff", "\n\n", "track", "points", "mark"]
TEXTS = [
    GOOD,
    GOOD.replace("\n", "\r\n"),
    GOOD.replace("\n", "\r").replace(",", ";"),
    GOOD.replace(",", "\t"),
    GOOD + "\n,,,\nshort\nlong,1,2,3,4,5\n" + GOOD,
    GOOD + 'no"rth,1,2,\n"open,1,2,\n',
    "quarantine_delivery,quarantine_line,track,points,mark\n1,2,north,3,4\n",
    "Results of the year\n\n" + GOOD + "Total,11,8.5,\n",
    GOOD + "nor\0th,1,2,\n=1+1,<b>,@x,\u00e9\u200b\uff17\n",
]


def seeds() -> list[bytes]:
    """Return small deliveries of every kind: encodings, separators, archives, sheets."""
    plain = [text.encode() for text in TEXTS]
    wide = [GOOD.encode("utf-8-sig"), GOOD.encode("utf-16"), GOOD.encode("utf-16-be")]
    packed = [gzip.compress(plain[0]), _zip({"a.csv": plain[0]}), _zip({"a": b"", "b": b""})]
    table = pa.table({"track": ["north", "south"], "points": [1, 2], "mark": [1.5, None]})
    sheet = io.BytesIO()
    pq.write_table(table, sheet)
    return [b"", GOOD.encode("cp1252") + b"m\xfcd,1,2,\n", *plain, *wide, *packed, sheet.getvalue()]


def _zip(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def records(tally: reader.Tally):
    """Yield the batches of the drawn file."""
    yield from reader.read_records(FILE, CONTRACT, tally)


def check(content: bytes) -> None:
    FILE.write_bytes(content)
    tally = reader.Tally()
    lines: list[int] = []
    try:
        for batch in records(tally):
            lines += batch.column("line").to_pylist()
    except ExamsError:
        return
    away = [line for line, _ in tally.malformed]
    assert lines == sorted(set(lines)), "lines of records do not increase"
    assert away == sorted(set(away)), "lines of malformed records do not increase"
    assert not set(lines) & set(away), "a line stands for two records"
    assert tally.received == len(lines) + len(away), "records do not add up"


def small_contract():
    path = FOLDER / "contract.yaml"
    path.write_text(yaml.safe_dump(SMALL), encoding="utf-8")
    return read_contract(path)


if __name__ == "__main__":
    CORPUS.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (CORPUS / f"seed-{number:02}").write_bytes(seed)
    CONTRACT = small_contract()
    hexes = ("".join(f"\\x{byte:02x}" for byte in token.encode()) for token in TOKENS)
    WORDS.write_text("".join(f'"{escaped}"\n' for escaped in hexes))
    reader.BLOCK = 256  # so that small files have many parts, too
    again = [word for word in sys.argv[1:] if not word.startswith("-")]
    given = [*LIMITS, f"-dict={WORDS}", f"-artifact_prefix={FOLDER}/"]
    atheris.Setup([*sys.argv, *given, *([] if again else [str(CORPUS)])], check)
    atheris.Fuzz()
