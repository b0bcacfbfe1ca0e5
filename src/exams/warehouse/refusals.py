"""What either store may refuse, in one wording."""

from exams.errors import ExamsError


def missing() -> ExamsError:
    """There is nothing to read yet."""
    return ExamsError("E203", "There is no warehouse yet.", "Run `ploomber build`.")


def busy(name: str) -> ExamsError:
    """Another writer was waited for in vain."""
    what = f"{name} is being written by another build."
    return ExamsError("E210", what, "Try again when that build is done.")


def looked_at(name: str) -> ExamsError:
    """Nobody may read while tables or views change, and somebody does all the time."""
    what = f"{name} is being read in a transaction that does not end, and its views must change."
    return ExamsError("E210", what, "Nothing was changed. Build again when it has ended.")


def unreadable(name: str) -> ExamsError:
    """It is broken, or not ours."""
    remedy = "Move it away and run `exams build --due`: it loads every quarter again."
    return ExamsError("E207", f"{name} cannot be read.", remedy)
