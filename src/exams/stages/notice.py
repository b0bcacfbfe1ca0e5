"""What a report says before its figures where some of the quarter is missing. Light."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """A sentence at the top of a report: its first word, and the rest; bad: it is a warning."""

    word: str
    rest: str
    kind: str = "bad"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        html = f'<p class="callout {self.kind}"><strong>{self.word}.</strong> {self.rest}</p>'
        return {"text/html": html, "text/plain": f"{self.word}. {self.rest}"}


def incomplete(refused: int) -> Notice | None:
    """Say that so many files of the quarter were refused; None if none was."""
    if not refused:
        return None
    what = "1 file of this quarter was refused and left out: all figures lack its records."
    if refused > 1:
        what = f"{refused} files of this quarter were refused and left out: "
        what += "all figures lack their records."
    return Notice("Incomplete", what)
