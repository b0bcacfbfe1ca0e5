"""Progress bars: for a person who watches, never in logs, pipes or executed notebooks."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

BY_HAND = "by hand"  # what a notebook has as `code` when a person runs it in JupyterLab

Item = TypeVar("Item")


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
