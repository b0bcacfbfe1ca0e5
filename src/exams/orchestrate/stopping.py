"""Ctrl-C and SIGTERM: at any instant they end the work, the kernel with it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_AGAIN = 10.0  # seconds: a kernel takes up to 5 to end


@contextmanager
def terminable() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt here: the kernel ends, the status is written.

    Whatever was inherited: a shell starts what it runs in the background deaf to Ctrl-C. Python
    drops what is raised while it runs a destructor: then it is raised once more, later on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # whoever runs it takes care of signals
        return
    asked = False

    def interrupt(*_: object) -> None:
        nonlocal asked
        asked = True
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    former = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in former.items():
            signal.signal(number, handler)
    if asked:
        raise KeyboardInterrupt
