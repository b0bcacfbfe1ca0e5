"""What counts in a word: of a value, and of a header."""

import re

_SPACES = re.compile("[ \t\n\r\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
_CURLED = re.compile("[\u2018-\u201f]")
_CURLY = str.maketrans("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f", "''''\"\"\"\"")
_WIDENED = re.compile("[\uff10-\uff19]")
_WIDE = str.maketrans("\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19", "0123456789")
_FORMULA = ("'=", "'+", "'-", "'@")

# Nearly every value is neat: each step looks for that first, which is many times faster.


def trimmed(text: str) -> str:
    """Return `text` without outer, repeated or zero-width space; what is left is plain."""
    if " ".join(text.split()) == text and (text.isascii() or not _INVISIBLE.search(text)):
        return text
    return _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip(" ")


def quotes(text: str) -> str:
    """Return `text` with its curly quotes straight."""
    return text if text.isascii() or not _CURLED.search(text) else text.translate(_CURLY)


def full_width(text: str) -> str:
    """Return `text` with its full-width digits plain."""
    return text if text.isascii() or not _WIDENED.search(text) else text.translate(_WIDE)


def escaped(text: str) -> str:
    """Return `text` without an apostrophe that stands before a leading =, +, - or @.

    A spreadsheet's export, or ours, puts it there so that nothing is executed as a formula.
    """
    return text[1:] if text.startswith(_FORMULA) else text


# Steps in this order leave nothing for a second round to do.
STEPS = {
    "trimmed": trimmed,
    "quotes": quotes,
    "full_width": full_width,
    "escaped": escaped,
    "case": str.casefold,
}


def fold(text: str, without: str = "") -> str:
    """Return a value less what does not count: after all STEPS, but for the one `without`."""
    for name, step in STEPS.items():
        if name != without:
            text = step(text)
    return text


def plain(word: str) -> str:
    """Return a header without what does not count: case, spaces and punctuation."""
    return re.sub(r"[\W_]+", "_", word.casefold()).strip("_")
