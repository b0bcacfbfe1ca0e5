"""Linear programs (HiGHS): which values a hidden count can have, and what would widen them."""

import highspy
import numpy as np
from scipy.sparse import csr_matrix, hstack, identity

_CLOSE = 1e-6  # of a whole number
_SLACK = 1e-7  # a move below this is none


class Reach:
    """What a reader can work out of sums of unknown counts.

    The unknowns x are at least 0; S x are the cells, whose true values are v. A reader knows
    the shown ones exactly. low and high hold values that were found to be possible for each
    cell: a narrower range than the true one, widened no further than it is asked for.
    """

    def __init__(self, sums: csr_matrix, values: np.ndarray, hidden: np.ndarray) -> None:
        self.sums, self.values = sums, values.astype(float)
        self.low, self.high = self.values.copy(), self.values.copy()
        upper = np.where(hidden, highspy.kHighsInf, self.values)
        lower = np.where(hidden, 0.0, self.values)
        self._model = _model(sums, np.zeros(sums.shape[1]), lower, upper)

    def hide(self, row: int) -> None:
        """Take from the reader what he knew of a cell."""
        self._model.changeRowBounds(row, 0.0, highspy.kHighsInf)

    def is_wide(self, row: int, need: int) -> bool:
        """Say whether the range of a cell is at least `need` whole numbers wide."""
        for sign in (1.0, -1.0):
            if self._width(row) >= need:
                return True
            found = self._furthest(row, sign)
            if found is None:
                self.high[row] = np.inf
            else:
                self.widen(found)
        return self._width(row) >= need

    def widen(self, unknowns: np.ndarray) -> None:
        """Note the values of all cells in a possible solution."""
        found = self.sums @ unknowns
        np.minimum(self.low, found, out=self.low)
        np.maximum(self.high, found, out=self.high)

    def _width(self, row: int) -> float:
        return np.floor(self.high[row] + _CLOSE) - np.ceil(self.low[row] - _CLOSE)

    def _furthest(self, row: int, sign: float) -> np.ndarray | None:
        """Return the solution in which a cell is least (sign 1) or greatest (-1).

        None: it can be any number, however large.
        """
        size = self.sums.shape[1]
        cost = np.zeros(size)
        cost[self.sums.indices[self.sums.indptr[row] : self.sums.indptr[row + 1]]] = sign
        self._model.changeColsCost(size, np.arange(size, dtype=np.int32), cost)
        self._model.run()
        status = self._model.getModelStatus()
        if status == highspy.HighsModelStatus.kUnbounded:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError(f"HiGHS: {status.name}")
        return np.array(self._model.getSolution().col_value)


class Repair:
    """The cheapest way to make a value of a cell possible: which shown cells it takes.

    Minimises the sum of weights x |change| over the cells; to hide those that change makes the
    value possible (a reader cannot tell the changed table from the true one).
    """

    def __init__(self, sums: csr_matrix, values: np.ndarray, weights: np.ndarray) -> None:
        self.rows, self.size = sums.shape
        self.values, self.weights = values.astype(float), weights.copy()
        change = identity(self.rows, format="csr")
        cost = np.concatenate([np.zeros(self.size), weights, weights])
        whole = hstack([sums, change, -change], format="csr")
        self._model = _model(whole, cost, self.values, self.values)

    def free(self, row: int) -> None:
        """Let a hidden cell change at no cost."""
        self.weights[row] = 0.0
        for column in self._columns(row):
            self._model.changeColCost(column, 0.0)

    def solve(self, row: int, target: float) -> tuple[float, np.ndarray, np.ndarray]:
        """Return cost, the shown cells that change and the unknowns where `row` is `target`."""
        down, up = self._columns(row)
        by = self.values[row] - target
        self._model.changeColBounds(down, max(by, 0.0), max(by, 0.0))
        self._model.changeColBounds(up, max(-by, 0.0), max(-by, 0.0))
        self._model.run()
        optimal = self._model.getModelStatus() == highspy.HighsModelStatus.kOptimal
        found = np.array(self._model.getSolution().col_value)
        cost = self._model.getInfo().objective_function_value
        for column in (down, up):
            self._model.changeColBounds(column, 0.0, highspy.kHighsInf)
        if not optimal:
            return np.inf, np.zeros(0, int), np.zeros(0)
        changes = found[self.size :].reshape(2, -1).sum(axis=0)
        moved = np.flatnonzero((changes > _SLACK) & (self.weights > 0))
        return cost, moved, found[: self.size]

    def _columns(self, row: int) -> tuple[int, int]:
        return self.size + row, self.size + self.rows + row


def _model(
    matrix: csr_matrix, cost: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> highspy.Highs:
    """Return minimise cost x, lower <= matrix x <= upper, x >= 0, to be solved again and again."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_ = cost
    lp.col_lower_ = np.zeros(len(cost))
    lp.col_upper_ = np.full(len(cost), highspy.kHighsInf)
    lp.row_lower_, lp.row_upper_ = lower, upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = matrix.indptr
    lp.a_matrix_.index_ = matrix.indices
    lp.a_matrix_.value_ = matrix.data.astype(float)
    model = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
        model.setOptionValue(option, value)
    model.passModel(lp)
    return model
