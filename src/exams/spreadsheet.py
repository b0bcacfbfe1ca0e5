"""Cells that a spreadsheet opens as what they are: text, never a formula."""

import re

_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?")
_LEADING = ("=", "+", "-", "@", "\t", "\r")


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe goes before it."""
    return f"'{cell}" if cell[:1] in _LEADING and not _NUMBER.fullmatch(cell) else cell
