"""Text stands out by 4.5:1 and what a picture is read by by 3:1 (WCAG 2.2, 1.4.3 and 1.4.11)."""

import json
import re
from itertools import product

import pytest

from exams import web
from exams.stages.visualize import SIGN_COLOUR, STATE_COLOURS, STATE_SIGNS
from serving import ROOT

TEXT, GRAPHIC = 4.5, 3.0
GROUNDS = ("page", "card", "soft")
INKS = ("ink", "mute", "accent", "good", "warn", "bad")
STATES = STATE_COLOURS.range
SOFT = ("accent-soft", "good-soft", "warn-soft", "bad-soft")


def tokens(style):
    """Return the colours of tokens.css, in a light and in a dark page."""
    light, _, rest = style.partition("@media screen and (prefers-color-scheme: dark)")
    named = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{3,6});")
    bright = dict(named.findall(light))
    return {"light": bright, "dark": bright | dict(named.findall(rest.partition("\n}\n")[0]))}


def luminance(colour):
    """Return the relative luminance of #rgb or #rrggbb, from 0 to 1 (WCAG 2.2, glossary)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def too_weak(colours, pairs, least):
    """Return the pairs of names whose colours do not stand out from each other enough."""
    found = {f"{a} on {b}": round(contrast(colours[a], colours[b]), 2) for a, b in pairs}
    return {pair: ratio for pair, ratio in found.items() if ratio < least}


COLOURS = tokens(web.static("tokens.css"))
MARKS = {
    scheme: json.loads(found)
    for scheme, found in re.findall(r"(light|dark): (\[[^\]]*\]),", web.static("theme.js"))
}


@pytest.mark.parametrize("scheme", COLOURS)
def test_text_stands_out_from_every_ground(scheme):
    pairs = [*product(INKS, GROUNDS), *product(("ink",), SOFT)]
    pairs += [(ground.partition("-")[0], ground) for ground in SOFT]  # as states are written
    assert too_weak(COLOURS[scheme], pairs, TEXT) == {}


@pytest.mark.parametrize("scheme", COLOURS)
def test_focus_borders_of_controls_and_axes_stand_out(scheme):
    pairs = list(product(("accent", "edge"), GROUNDS))
    assert too_weak(COLOURS[scheme], pairs, GRAPHIC) == {}


@pytest.mark.parametrize("scheme", COLOURS)
def test_marks_of_charts_stand_out_from_their_card(scheme):
    assert len(MARKS[scheme]) >= 7
    colours = {colour: colour for colour in MARKS[scheme]} | COLOURS[scheme]
    assert too_weak(colours, product(MARKS[scheme], ["card"]), GRAPHIC) == {}


SHADED = "".join(
    (ROOT / place).read_text(encoding="utf-8").replace('\\"', '"')
    for place in ("notebooks/visualize.ipynb", "src/exams/stages/visualize.py")
)


def test_text_can_be_read_on_every_shade_that_holds_some():
    """A scale of colours goes from one shade to the next without leaving what lies between."""
    ramps = re.findall(r'"?range"?[:=]\s*(\["#[^\]]*\])', SHADED)
    shades = {shade: shade for ramp in ramps for shade in json.loads(ramp)}
    inks = set(re.findall(r'mark_text\([^)]*color="(#\w+)"', SHADED))
    assert len(shades) >= 5 and len(inks) == 1
    pale = {shade for shade in shades if shade not in STATES}
    assert too_weak(shades | {ink: ink for ink in inks}, product(inks, pale), TEXT) == {}


def test_signs_can_be_read_on_the_colours_of_states():
    states = dict(zip(STATE_COLOURS.domain, STATE_COLOURS.range, strict=True))
    light = {state for state in states if f"'{state}'" in SIGN_COLOUR["condition"]["test"]}
    signs = {"light": "#ffffff", "dark": "#15202b"}
    pairs = [("light" if state in light else "dark", state) for state in STATE_SIGNS]
    assert light and too_weak(states | signs, pairs, TEXT) == {}


def test_areas_of_a_scale_of_colours_have_an_edge_which_stands_out():
    """Their shades cannot: some are pale, some dark, and the page is one or the other."""
    areas = re.findall(r"mark_(?:rect|bar)\(([^)]*)\)", SHADED)
    assert sum('style="outlined"' in area for area in areas) == 8
    assert "style: {outlined: {stroke: edge" in web.static("theme.js")


def test_contrast_is_that_of_the_standard():
    assert contrast("#fff", "#000000") == 21
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.005)  # a known near miss


def test_a_weak_colour_is_found():
    colours = {"mute": "#777777", "card": "#fff"}
    assert too_weak(colours, [("mute", "card")], TEXT) == {"mute on card": 4.48}
    assert too_weak(colours, [("mute", "card")], GRAPHIC) == {}
