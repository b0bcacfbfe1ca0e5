"""Linear programs over what a reader does not know."""

from collections.abc import Iterable

import highspy
import numpy as np
from scipy.sparse import csr_matrix

Sum = dict[int, float]  # factor by unknown
_CLOSE = 1e-6


class Program:
    """Unknown counts, what is known of sums of them, and the bounds that follow."""

    def __init__(self) -> None:
        self.size = 0
        self._rows: list[tuple[Sum, float, float]] = []
        self._model: highspy.Highs | None = None
        self._worlds: list[np.ndarray] = []  # unknowns that fit to all that is known

    def unknowns(self, count: int) -> np.ndarray:
        """Return the numbers of `count` new unknowns, each at least 0."""
        self.size += count
        return np.arange(self.size - count, self.size)

    def know(self, total: Sum, low: float, high: float) -> None:
        """Note that a sum lies between two numbers."""
        self._rows.append((total, low, high))
        self._model = None
        self._worlds.clear()

    def possible(self) -> bool:
        """Say whether anything fits to all that is known."""
        return self._solve({}, 1.0) is not None

    def width(self, total: Sum, enough: int) -> float:
        """Return how many whole numbers wide the range of a sum is.

        Once it is known to be `enough`, it is not measured further.
        """
        for sign in (1.0, -1.0):
            if self._seen(total) >= enough:
                break
            end = self._solve(total, sign)
            if end is None:
                raise ArithmeticError("What is published contradicts itself.")
            if np.isinf(end):
                return np.inf
        return self._seen(total)

    def _seen(self, total: Sum) -> float:
        """Return how far apart a sum is in the worlds that are known."""
        places, factors = list(total), np.array(list(total.values()))
        values = [factors @ world[places] for world in self._worlds]
        return (
            float(np.floor(max(values) + _CLOSE) - np.ceil(min(values) - _CLOSE))
            if values
            else -1.0
        )

    def least(self, total: Sum) -> float | None:
        """Return the least that a sum can be; None if nothing fits to what is known."""
        return self._solve(total, 1.0)

    def _solve(self, total: Sum, sign: float) -> float | None:
        """Return the minimum of sign x total; None if nothing fits."""
        model = self._model or self._built()
        cost = np.zeros(self.size)
        cost[list(total)] = [sign * factor for factor in total.values()]
        model.changeColsCost(self.size, np.arange(self.size, dtype=np.int32), cost)
        model.run()
        status = model.getModelStatus()
        if status in (highspy.HighsModelStatus.kUnbounded,):
            return -np.inf
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError(f"HiGHS: {status.name}")
        self._worlds.append(np.array(model.getSolution().col_value))
        return float(model.getInfo().objective_function_value)

    def _built(self) -> highspy.Highs:
        starts = np.cumsum([0, *(len(total) for total, _, _ in self._rows)])
        places = [unknown for total, _, _ in self._rows for unknown in total]
        factors = [factor for total, _, _ in self._rows for factor in total.values()]
        matrix = csr_matrix((factors, places, starts), (len(self._rows), self.size), dtype=float)
        ends = np.array([(low, high) for _, low, high in self._rows], float).reshape(-1, 2)
        self._model = solver(matrix, ends[:, 0], ends[:, 1])
        return self._model


def solver(
    matrix: csr_matrix, lower: np.ndarray, upper: np.ndarray, most: float = np.inf
) -> highspy.Highs:
    """Return lower <= matrix x <= upper, 0 <= x <= most, with nothing to minimise yet."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_ = np.zeros(lp.num_col_)
    lp.col_lower_ = np.zeros(lp.num_col_)
    lp.col_upper_ = np.full(lp.num_col_, most)
    lp.row_lower_, lp.row_upper_ = lower, upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = matrix.data
    model = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
        model.setOptionValue(option, value)
    model.passModel(lp)
    return model


def added(sums: Iterable[Sum]) -> Sum:
    """Return the sum of several sums."""
    found: Sum = {}
    for part in sums:
        for unknown, factor in part.items():
            found[unknown] = found.get(unknown, 0.0) + factor
    return found


def times(total: Sum, factor: float) -> Sum:
    """Return a sum multiplied."""
    return {unknown: factor * f for unknown, f in total.items()}
