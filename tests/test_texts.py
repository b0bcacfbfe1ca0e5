"""What the dashboard says in fixed words stands in texts.js alone."""

import re

import pytest

from exams import web
from exams.web import FOLDER

STATIC = FOLDER / "voila/templates/exams/static"
SCRIPTS = sorted(STATIC.glob("*.js"))
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\w])//[^\n]*", re.DOTALL)
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
# Words for people: one that starts with a capital, or three words and more in a row.
WORDS = re.compile(r"\b[A-Z][a-z]{2,}\b|[a-z]{2,}(?: [a-z]{2,}){2,}")
TERMS = {"Enter", "Escape", "Home", "End", "Strict"}  # of the browser


def said(source):
    """Return the texts for people in a script: of its literals, without the values in them."""
    literals = ("".join(found) for found in LITERAL.findall(COMMENT.sub("", source)))
    return [
        found[0] for text in literals if (found := WORDS.search(re.sub(r"\$\{[^}]*\}", "", text)))
    ]


@pytest.mark.parametrize("path", [p for p in SCRIPTS if p.name != "texts.js"], ids=lambda p: p.name)
def test_a_script_speaks_in_no_words_of_its_own(path):
    assert [words for words in said(path.read_text()) if words not in TERMS] == []


@pytest.mark.parametrize(
    "source, words",
    [
        ('h("p", {}, "Nothing yet")', ["Nothing"]),
        ("h(`p`, {}, `${n} rows of this file`)", ["rows of this file"]),
        ('h("p", {class: "card fold"}, TEXTS.a)  // Say it here', []),
    ],
)
def test_fixed_words_of_a_script_are_found(source, words):
    assert said(source) == words


def entries(source):
    """Return each text's address in TEXTS, as page.name."""
    pages = re.findall(r"^  (\w+): \{\n(.*?)^  \},\n", source, re.DOTALL | re.MULTILINE)
    return {
        f"{page}.{name}" for page, part in pages for name in re.findall(r"^    (\w+):", part, re.M)
    }


def used(sources):
    """Return the addresses that scripts use: TEXTS.page.name, or SAID.name for a page's own."""
    found = set()
    for source in sources:
        found |= {".".join(pair) for pair in re.findall(r"TEXTS\.(\w+)\.(\w+)", source)}
        own = re.search(r"SAID = TEXTS\.(\w+);", source)
        if own:
            found |= {f"{own[1]}.{name}" for name in re.findall(r"SAID\.(\w+)", source)}
    return found


def test_every_text_that_a_script_asks_for_is_there():
    there = entries((STATIC / "texts.js").read_text())
    asked = used(p.read_text() for p in SCRIPTS)
    assert len(there) > 100 and len(asked) > 80
    assert asked - there == set()


def test_a_text_that_is_missing_is_found():
    texts = "export const TEXTS = {\n  home: {\n    lead: 1,\n  },\n};\n"
    assert used(["const SAID = TEXTS.home; SAID.lead; SAID.lost"]) - entries(texts) == {"home.lost"}


def test_a_script_for_a_page_of_its_own_brings_what_it_imports_first():
    script = web.script("charts.js")
    assert script.index("const TEXTS =") < script.index("function drawChart")
    assert not re.search(r"^import\b", script, re.MULTILINE)
    assert script.count("const TEXTS =") == 1
