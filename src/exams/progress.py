"""Progress bars: for a person who watches, never in logs, pipes or executed notebooks."""

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from errno import EIO, EPIPE
from typing import Any, TypeVar

BY_HAND = "by hand"  # what a notebook has as `code` when a person runs it in JupyterLab

Item = TypeVar("Item")


def say(line: object, stream: str = "stdout") -> None:
    """Print a line at once. Where nobody can read it any more, the work goes on all the same.

    stream: stdout or stderr. Its reader may have ended (`| head -1`), its terminal may be closed,
    its disk full.
    """
    file = getattr(sys, stream)
    try:
        print(line, file=file, flush=True)
    except OSError as error:
        if error.errno in (EPIPE, EIO):  # for good: what is in the buffer would fail at the end
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())


def track(
    items: Iterable[Item],
    total: int | None,
    label: str,
    unit: str,
    count: Callable[[Item], int] = lambda item: 1,
) -> Iterator[Item]:
    """Yield `items` and show how many of `total` have been taken, if a person watches.

    An item counts for `count(item)` units (len, for bytes). A `total` of None is one that is
    not known. The bar vanishes at the end.
    """
    if not watched():
        yield from items
        return
    from tqdm import tqdm  # noqa: PLC0415  loaded only to be seen

    with tqdm(
        total=total, desc=label, unit=unit, unit_scale=unit == "B", leave=False, file=sys.stderr
    ) as bar:
        for item in items:
            yield item
            bar.update(count(item))


class Overall:
    """One bar over several quarters, with the time left; without a watcher, lines alone.

    Stages count by what they usually cost. `expect` and `leave` correct what was first thought:
    that all stages of all quarters are due.
    """

    def __init__(self, quarters: Sequence[str], costs: Mapping[str, int]) -> None:
        self._costs = costs
        self._left = {quarter: list(costs) for quarter in quarters}
        self._done = 0
        self._bar: Any = None
        if watched():
            from tqdm import tqdm  # noqa: PLC0415  loaded only to be seen

            form = "{desc} {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
            label = "1 quarter" if len(quarters) == 1 else f"{len(quarters)} quarters"
            total = len(quarters) * sum(costs.values())
            self._bar = tqdm(
                total=total, desc=label, bar_format=form, smoothing=0, leave=False, file=sys.stderr
            )

    def write(self, stream: str, line: str) -> None:
        """Print a line to the stream of that name, above the bar."""
        if self._bar is None:
            say(line, stream)
        else:
            with suppress(OSError):  # as above
                self._bar.write(line, file=getattr(sys, stream))

    def expect(self, quarter: str, stages: Collection[str]) -> None:
        """Learn which stages of a quarter are due."""
        self._left[quarter] = [stage for stage in self._costs if stage in stages]
        self._show()

    def reach(self, quarter: str, stage: str) -> None:
        """Learn that the stages before `stage` are done."""
        order = list(self._costs)
        before = [s for s in self._left[quarter] if order.index(s) < order.index(stage)]
        self._done += sum(self._costs[s] for s in before)
        self._left[quarter] = self._left[quarter][len(before) :]
        self._show()

    def leave(self, quarter: str, stages: Collection[str]) -> None:
        """Learn that a turn is over, and which stages are left for the next one."""
        over = [s for s in self._left[quarter] if s not in stages]
        self._done += sum(self._costs[s] for s in over)
        self._left[quarter] = [s for s in self._left[quarter] if s in stages]
        self._show()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _show(self) -> None:
        if self._bar is not None:
            left = sum(self._costs[stage] for stages in self._left.values() for stage in stages)
            self._bar.total, self._bar.n = self._done + left, self._done
            with suppress(OSError):
                self._bar.refresh()


def watched() -> bool:
    """Say whether a person watches: at a terminal, or running a notebook by hand."""
    return sys.stderr.isatty() or by_hand()


def by_hand() -> bool:
    """Say whether a person is running a notebook of the pipeline in JupyterLab."""
    return _variables().get("code") == BY_HAND


def _variables() -> dict[str, object]:
    """Return the variables of the notebook that is running; none outside of one."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell else None
    return running.user_ns if running else {}
