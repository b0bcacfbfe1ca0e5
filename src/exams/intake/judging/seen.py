"""Finds what occurs twice among many millions, exactly and in little memory."""

from collections.abc import Sequence

import numpy as np

_FEW = 1 << 20  # entries
Entries = list[np.ndarray]  # first and other eight bytes; the first ones rise


class Seen:
    """The pseudonyms seen so far: 16 bytes of each, enough to tell any two apart.

    New entries join the `newer` ones, so that the long arrays of the `many` are seldom made
    anew. Entries whose first eight bytes are another's, hardly ever one among millions, are in
    `clashes`.
    """

    def __init__(self) -> None:
        self.many, self.newer = _none(), _none()
        self.clashes: set[tuple[int, int]] = set()

    def copy(self) -> "Seen":
        """Return the same; the arrays are shared, as they are never changed."""
        other = Seen()
        other.many, other.newer = list(self.many), list(self.newer)
        other.clashes = set(self.clashes)
        return other

    def add(self, digests: Sequence[bytes | None], holding: np.ndarray) -> np.ndarray:
        """Return where a digest (32 bytes) was held before: in this call or an earlier one.

        holding: which records hold theirs, if nobody did before. None is held by nobody.
        """
        given = np.flatnonzero(np.array([digest is not None for digest in digests], bool))
        numbers = np.frombuffer(b"".join(filter(None, digests)), np.uint64).reshape(-1, 4)
        order = _order(numbers[:, 0], numbers[:, 1])
        first, other, holds = numbers[order, 0], numbers[order, 1], holding[given[order]]
        taken = np.zeros(len(first), bool)
        known = _held_before(holds, _as_before(first) & _as_before(other))
        for firsts, others in (self.many, self.newer):
            place = np.searchsorted(firsts, first)
            place[place == len(firsts)] = -1
            found = firsts[place] == first if len(firsts) else np.zeros(len(first), bool)
            taken |= found
            known[found] |= others[place[found]] == other[found]
        if self.clashes:
            pairs = zip(first.tolist(), other.tolist(), strict=True)
            known |= np.fromiter((pair in self.clashes for pair in pairs), bool, len(first))
        new = holds & ~known
        self._keep(first[new], other[new], taken[new] | _as_before(first[new]))
        seen = np.zeros(len(digests), bool)
        seen[given[order]] = known
        return seen

    def _keep(self, first: np.ndarray, other: np.ndarray, taken: np.ndarray) -> None:
        self.clashes.update(zip(first[taken].tolist(), other[taken].tolist(), strict=True))
        _merge(self.newer, [first[~taken], other[~taken]])
        if len(self.newer[0]) > max(_FEW, len(self.many[0]) // 8):
            _merge(self.many, self.newer)
            self.newer = _none()


class Told:
    """Pseudonyms of one part at a time: whoever knows the parts before it says which are repeats.

    repeats: their places among those that `add` is given. `asked`, `holding`: what it was given.
    """

    def __init__(self, repeats: np.ndarray) -> None:
        self.repeats, self.asked, self.holding = repeats, list[bytes | None](), np.zeros(0, bool)

    def add(self, digests: Sequence[bytes | None], holding: np.ndarray) -> np.ndarray:
        """Return where a digest is a repeat."""
        self.asked, self.holding = list(digests), holding
        again = np.zeros(len(digests), bool)
        again[self.repeats] = True
        return again


def _none() -> Entries:
    return [np.empty(0, np.uint64), np.empty(0, np.uint64)]


def _order(first: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the order by `first`, then `other`; of equal ones the earlier comes first."""
    order = np.argsort(first, kind="stable")
    return np.lexsort((other, first)) if _as_before(first[order]).any() else order


def _held_before(holds: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Return where one before in its group holds; same: where a group goes on."""
    before = np.cumsum(holds) - holds
    begin = np.maximum.accumulate(np.where(same, 0, np.arange(len(same))))
    return before > before[begin]


def _as_before(values: np.ndarray) -> np.ndarray:
    """Return where a value equals the one before it."""
    same = np.zeros(len(values), bool)
    same[1:] = values[1:] == values[:-1]
    return same


def _merge(into: Entries, more: Entries) -> None:
    """Take sorted entries into others, one array after the other to save memory."""
    at = np.searchsorted(into[0], more[0])
    for half in (0, 1):
        into[half] = np.insert(into[half], at, more[half])
