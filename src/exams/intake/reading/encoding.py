"""Text in the encodings that offices deliver, handed on as UTF-8."""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from exams.errors import ExamsError

TITLES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1252": "Windows-1252",
}
_MARKS = {  # byte order marks; that of UTF-32 LE starts like that of UTF-16 LE
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}


class UndecodableError(Exception):
    """The bytes that come next are not in the encoding, which the text says."""


@dataclass
class Decoded:
    """A stream of text as chunks of UTF-8, without byte order mark.

    What looks like UTF-8 is taken for Windows-1252 from the first byte on that is not, as long
    as all before it was ASCII, which is the same in both; `encoding` then says so. Raise
    UndecodableError behind the last good character. A stream that is not `whole` may end
    within a character.
    """

    chunks: Iterable[bytes]
    encoding: str
    whole: bool = True

    def __iter__(self) -> Iterator[bytes]:
        chunks = _without_mark(self.chunks, self.encoding)
        return self._utf8(chunks) if self.encoding == "utf-8" else self._recoded(chunks)

    def _utf8(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        held, ascii_so_far = b"", True
        for chunk in chunks:
            data = held + chunk if held else chunk
            if data.isascii():
                held = b""
                yield data
                continue
            try:
                end = codecs.utf_8_decode(data, "strict", False)[1]
            except UnicodeDecodeError as error:
                yield from self._other(data, error.start, chunks, ascii_so_far)
                return
            ascii_so_far = ascii_so_far and data[:end].isascii()
            held = data[end:]  # half a character
            yield data[:end]
        if held and self.whole:
            yield from self._other(held, 0, iter(()), ascii_so_far)

    def _other(
        self, data: bytes, start: int, rest: Iterator[bytes], ascii_so_far: bool
    ) -> Iterator[bytes]:
        yield data[:start]
        if not (ascii_so_far and data[:start].isascii()):
            raise UndecodableError("this is not UTF-8, but a line above is")
        self.encoding = "cp1252"
        yield from self._recoded(chain([data[start:]], rest))

    def _recoded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)()
        for chunk in chain(chunks, [b""] if self.whole else []):
            try:
                yield decoder.decode(chunk, final=not chunk).encode()
            except UnicodeDecodeError as error:
                yield error.object[: error.start].decode(self.encoding).encode()
                title = TITLES[self.encoding]
                raise UndecodableError(f"this is not {title}") from None


def encoding_of(start: bytes) -> str:
    """Return the encoding that the start of a file shows; UTF-8 if nothing tells otherwise.

    UTF-16 without a byte order mark betrays itself: every other byte of plain text is NUL.
    """
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return encoding
    even, odd = start[0:4096:2].count(0), start[1:4096:2].count(0)
    few = len(start[:4096]) // 8
    if odd > few and odd > 8 * even:
        return "utf-16-le"
    return "utf-16-be" if even > few and even > 8 * odd else "utf-8"


def _without_mark(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    stream = iter(chunks)
    start = b""
    while len(start) < 4 and (chunk := next(stream, b"")):
        start += chunk
    for mark, marked in _MARKS.items():
        if marked == encoding and start.startswith(mark):
            start = start[len(mark) :]
    return chain([start], stream)


def undecodable(name: str, line: int, what: object) -> ExamsError:
    """Return the error for bytes that cannot be decoded (E107)."""
    remedy = "Save the whole file as CSV in UTF-8."
    return ExamsError("E107", f"{name} line {line}: {what}.", remedy)
