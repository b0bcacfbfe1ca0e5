"""The bytes of a file, unpacked as a stream: counted, checked, never all at once in memory."""

import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from struct import error as StructError
from typing import IO, BinaryIO, cast

from exams.errors import ExamsError

CHUNK = 4 << 20  # bytes at a time
DIRECTORY = 1 << 20  # bytes of an archive's list of files: some 10,000 names
_GZIP, _DEFLATE = 31, -15  # zlib's names for the two wrappings
_LOCAL = b"PK\x03\x04"
_ENCRYPTED = 0x1


def text_chunks(
    file: BinaryIO, packed: str, name: str, limit: int, seen: Callable[[bytes], object]
) -> Iterator[bytes]:
    """Yield what an open file holds, unpacked: `packed` is gzip, zip or empty.

    The file's own bytes are shown to `seen` (a hash) as they are read, but for those of a zip
    archive, which are not read in order. Raise E114 if the file is broken, E115 if it unpacks
    to more than `limit` bytes, E116 if it holds no or several files, E117 if it has a password.
    """
    if packed == "zip":
        return unzipped(file, only_table(directory(file, name), name), name, limit)
    file.seek(0)
    chunks = _plain(file, seen)
    return _inflated(chunks, name, limit, _GZIP) if packed == "gzip" else chunks


def _plain(file: BinaryIO, seen: Callable[[bytes], object]) -> Iterator[bytes]:
    left = os.fstat(file.fileno()).st_size  # a file that grows meanwhile would never end
    while left > 0 and (data := file.read(min(CHUNK, left))):
        seen(data)
        left -= len(data)
        yield data


def directory(file: BinaryIO, name: str) -> list[zipfile.ZipInfo]:
    """Return the files in a zip archive, without folders and what systems leave in them.

    Raise E114 if it is broken, also if its list of files is longer than DIRECTORY.
    """
    try:
        with zipfile.ZipFile(cast(IO[bytes], _Sparing(file))) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, StructError):
        raise broken(name, "a zip archive") from None
    return [m for m in members if not m.filename.endswith("/") and not _hidden(m.filename)]


class _Sparing:
    """A file for zipfile, which reads an archive's list of files at once, however long it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY:
            raise zipfile.BadZipFile
        return self._file.read(size)


def only_table(members: list[zipfile.ZipInfo], name: str) -> zipfile.ZipInfo:
    """Return the one CSV file among `members`, or the one file; raise E116 if there is none."""
    tables = [m for m in members if m.filename.lower().endswith(".csv")] or members
    if len(tables) == 1:
        return tables[0]
    raise ExamsError(
        "E116",
        f"{name}: the zip archive holds {len(tables)} files that could be meant.",
        "Pack one CSV file into it.",
    )


def unzipped(file: BinaryIO, member: zipfile.ZipInfo, name: str, limit: int) -> Iterator[bytes]:
    """Yield what a member of a zip archive holds.

    Raise E114 if it is broken or not what the archive's directory says, E115 beyond `limit`
    bytes, E117 for a password or a rare method. The directory is not believed: sizes and
    checksum are those of the bytes that arrive.
    """
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if member.flag_bits & _ENCRYPTED or member.compress_type not in methods:
        raise ExamsError(
            "E117",
            f"{name}: the zip archive has a password or a rare kind of compression.",
            "Pack it without password, as usual.",
        )
    if member.file_size > limit:
        raise too_large(name, limit)
    packed = _member_bytes(file, member, name)
    stored = member.compress_type == zipfile.ZIP_STORED
    checksum = size = 0
    for data in packed if stored else _inflated(packed, name, limit, _DEFLATE):
        checksum, size = zlib.crc32(data, checksum), size + len(data)
        yield data
    if (checksum, size) != (member.CRC, member.file_size):
        raise broken(name, "a zip archive")


def first_bytes(chunks: Iterable[bytes], size: int) -> bytes:
    """Return the first `size` bytes of a stream, or all if it is shorter."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= size:
            break
    return start[:size]


def _inflated(packed: Iterable[bytes], name: str, limit: int, window: int) -> Iterator[bytes]:
    kind = "a gzip file" if window == _GZIP else "a zip archive"
    engine, ended, total = zlib.decompressobj(window), False, 0
    for data in packed:
        rest, part = data, b""
        while rest or len(part) == CHUNK:  # what is full may have more behind it
            if ended:
                if window != _GZIP:
                    raise broken(name, kind)
                rest = rest.lstrip(b"\0")  # tapes pad with zeros
                if not rest:
                    break
                engine, ended = zlib.decompressobj(window), False  # gzip files may be chained
            try:
                part = engine.decompress(rest, CHUNK)
            except zlib.error:
                raise broken(name, kind) from None
            total += len(part)
            if total > limit:
                raise too_large(name, limit)
            if part:
                yield part
            ended = engine.eof
            rest = engine.unused_data if ended else engine.unconsumed_tail
            if ended:
                part = b""
    if not ended:
        raise broken(name, kind)


def _member_bytes(file: BinaryIO, member: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """Yield the packed bytes of a member, which lie behind a header of its own."""
    file.seek(member.header_offset)
    head = file.read(30)
    if len(head) < 30 or not head.startswith(_LOCAL):
        raise broken(name, "a zip archive")
    file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    left = member.compress_size
    while left > 0 and (data := file.read(min(CHUNK, left))):
        left -= len(data)
        yield data


def _hidden(path: str) -> bool:
    return path.startswith("__MACOSX/") or path.rpartition("/")[2].startswith(".")


def broken(name: str, kind: str) -> ExamsError:
    """Return the error for a file that is cut off or damaged (E114); `kind` is what it is."""
    return ExamsError(
        "E114", f"{name}: this is {kind} that is broken or cut off.", "Deliver it again."
    )


def too_large(name: str, limit: int) -> ExamsError:
    """Return the error for a file that unpacks to more than `limit` bytes (E115)."""
    return ExamsError(
        "E115",
        f"{name}: unpacked it is larger than {limit:,} bytes, the limit set in env.yaml.",
        "Deliver it unpacked, in parts, or raise the limit if the file can be trusted.",
    )
