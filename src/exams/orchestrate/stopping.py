"""Ctrl-C, SIGTERM and a closed terminal: at any instant they end the work, the kernel with it."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_AGAIN = 10.0  # seconds: a kernel takes up to 5 to end
_DEAF = 2.0  # seconds in which a second Ctrl-C means the first one: it would stop the clearing up
_asked: list[float] = []  # when the present work was told to stop


@contextmanager
def terminable() -> Iterator[None]:
    """Let them raise KeyboardInterrupt here: the kernel ends, the status is written.

    Ctrl-C and SIGTERM do so whatever was inherited: a shell starts what it runs in the background
    deaf to Ctrl-C. Who has said `nohup` means a closed terminal, and it stays ignored. Python
    drops what is raised while it runs a destructor: then it is raised once more, later on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # whoever runs it takes care of signals
        return
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGALRM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, _interrupt) for number in numbers}
    outermost = former[signal.SIGTERM] is not _interrupt
    asked = False
    try:
        yield
    finally:
        if outermost:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in former.items():
            signal.signal(number, handler)
        if outermost:
            asked = bool(_asked)
            _asked.clear()
    if asked:
        raise KeyboardInterrupt


def _interrupt(number: int, _: object) -> None:
    now = time.monotonic()
    if _asked and number != signal.SIGALRM and now - _asked[-1] < _DEAF:
        return
    _asked.append(now)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)
    raise KeyboardInterrupt
