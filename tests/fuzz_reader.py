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
from random import Random

import atheris
import yaml

with atheris.instrument_imports(include=["exams"]):
    from exams.contract import read_contract
    from exams.errors import ExamsError
    from exams.intake.reading import blocks, unpack
    from exams.intake.reading.layout import inspect
    from exams.intake.reading.reader import Tally, read_records

import corpus

FOLDER = Path(__file__).parents[1] / ".fuzz"
SEEDS, WORDS, FILE = FOLDER / "corpus", FOLDER / "words", FOLDER / "delivery"
SMALL = 8192  # bytes
LIMITS = ["-timeout=20", "-rss_limit_mb=1024", f"-max_len={SMALL}", "-len_control=0"]
WORDS_OF_CSV = [*',;|\t"\n\r', "\r\n", '","', '"\n', '""', "\ufeff", "\n\n", "track", "points"]
WORDS_OF_CSV += ["mark", "quarantine_delivery", "quarantine_line"]


def check(content: bytes) -> None:
    FILE.write_bytes(content)
    tally = Tally()
    lines: list[int] = []
    try:
        layout = inspect(FILE, FILE.name, CONTRACT, corpus.LIMIT)
        for batch in read_records(FILE, FILE.name, layout, tally, corpus.LIMIT):
            lines += batch.column("line").to_pylist()
            for column in batch.columns[1:]:
                assert len(column) == len(batch.column("line"))
                _ = [value.decode() for value in column.dictionary.to_pylist()]
    except ExamsError:
        return
    away = [line for line, _ in tally.malformed]
    assert lines == sorted(set(lines)), "lines of records do not increase"
    assert away == sorted(set(away)), "lines of malformed records do not increase"
    assert not set(lines) & set(away), "a line stands for two records"
    assert tally.received == len(lines) + len(away) > 0, "records do not add up"


def mutated(data: bytes, room: int, seed: int) -> bytes:
    """Return other bytes; mostly it is what an archive holds that changes, not its wrapping."""
    random = Random(seed)
    try:
        if random.random() < 0.2:
            return atheris.Mutate(data, room)
        if data.startswith(b"\x1f\x8b"):
            return gzip.compress(atheris.Mutate(gzip.decompress(data), room), 1)[:room]
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        name = random.choice(sorted(files))
        files[name] = atheris.Mutate(files[name], room)
        return corpus.zipped(files)[:room]
    except Exception:  # no archive, or a broken one
        return atheris.Mutate(data, room)


def prepared():
    """Write the seeds and the words to mutate with, cut blocks small; return the contract."""
    SEEDS.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(corpus.CORPUS.values()):
        if len(seed := case.content()) <= SMALL:
            (SEEDS / f"seed-{number:02}").write_bytes(seed)
    escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in WORDS_OF_CSV)
    WORDS.write_text("".join(f'"{word}"\n' for word in escaped))
    blocks.BLOCK = unpack.CHUNK = 256  # so that small files have many parts, too
    path = FOLDER / "contract.yaml"
    path.write_text(yaml.safe_dump(corpus.CONTRACT))
    return read_contract(path)


if __name__ == "__main__":
    CONTRACT = prepared()
    again = [word for word in sys.argv[1:] if not word.startswith("-")]
    options = [*LIMITS, f"-dict={WORDS}", f"-artifact_prefix={FOLDER}/"]
    arguments = [*sys.argv, *options, *([] if again else [str(SEEDS)])]
    atheris.Setup(arguments, check, custom_mutator=mutated)
    atheris.Fuzz()
