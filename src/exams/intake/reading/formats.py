"""Number formats of a workbook: which cells show something other than the number they hold."""

import re
from xml.etree.ElementTree import Element

# Formats that every workbook has without listing them: percent, and dates and times.
_KNOWN = {9: "0%", 10: "0.00%", **dict.fromkeys((*range(14, 23), *range(45, 48)), "date")}
_ASIDE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hmsHMS]+\])[^\]]*\]')  # texts, colours, conditions
_TELLING = re.compile("[%dmyhsDMYHS]")


def showing(styles: Element) -> dict[str, str]:
    """Return the styles under which a number is shown as a percentage, date or time.

    By the number by which cells name a style, the format code. `styles` is the part of the
    workbook that lists them.
    """
    codes = dict(_KNOWN)
    for listed in _all(styles, "numFmt"):
        codes[int(listed.get("numFmtId", 0))] = listed.get("formatCode", "")
    used = [int(style.get("numFmtId", 0)) for xfs in _all(styles, "cellXfs") for style in xfs]
    found = ((str(place), codes.get(number, "")) for place, number in enumerate(used))
    return {place: code for place, code in found if _is_telling(code)}


def _is_telling(code: str) -> bool:
    return code == "date" or bool(_TELLING.search(_ASIDE.sub("", code.replace("General", ""))))


def _all(tree: Element, name: str) -> list[Element]:
    return [e for e in tree.iter() if e.tag.rpartition("}")[2] == name]
