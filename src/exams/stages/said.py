"""Findings in words, as a list in a report."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Findings:
    """Sentences, shown one below the other; without any, that too few students can be shown."""

    sentences: Iterable[str]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        said = list(self.sentences) or ["Too few students to show."]
        html = "".join(f"<li>{escape(sentence)}</li>" for sentence in said)
        return {"text/html": f"<ul>{html}</ul>", "text/plain": "\n".join(said)}
