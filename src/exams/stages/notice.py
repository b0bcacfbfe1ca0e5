"""What a report says in words of its own: a notice above its figures, a list of findings. Light.

The private stages use it, too: what public ones find stands in findings.py, so that a sentence
there makes no model due.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Notice:
    """A sentence at the top of a report: its first word, and the rest; bad: it is a warning."""

    word: str
    rest: str
    kind: str = "bad"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        html = f'<p class="callout {self.kind}"><strong>{self.word}.</strong> {self.rest}</p>'
        return {"text/html": html, "text/plain": f"{self.word}. {self.rest}"}


@dataclass(frozen=True)
class Findings:
    """Sentences, shown one below the other; without any, that too few students can be shown."""

    sentences: Iterable[str]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        said = list(self.sentences) or ["Too few students to show."]
        html = "".join(f"<li>{escape(sentence)}</li>" for sentence in said)
        return {"text/html": f"<ul>{html}</ul>", "text/plain": "\n".join(said)}


def incomplete(refused: int) -> Notice | None:
    """Say that so many files of the quarter were refused; None if none was."""
    if not refused:
        return None
    what = "1 file of this quarter was refused and left out: all figures lack its records."
    if refused > 1:
        what = f"{refused} files of this quarter were refused and left out: "
        what += "all figures lack their records."
    return Notice("Incomplete", what)
