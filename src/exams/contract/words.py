"""What counts in a word: of a value, and of a header."""

import re

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


def fold(text: str) -> str:
    """Return a value without what does not count: case, outer and repeated space, quote style."""
    return " ".join(text.translate(_INVISIBLE).translate(_QUOTES).casefold().split())


def plain(word: str) -> str:
    """Return a header without what does not count: case, spaces and punctuation."""
    return re.sub(r"[\W_]+", "_", word.casefold()).strip("_")
