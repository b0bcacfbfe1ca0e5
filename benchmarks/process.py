"""What a whole process costs: wall clock, CPU and memory, its children included.

The parent stays light (no numpy, no pyarrow): Linux counts the memory of the process that
starts another as that other's peak.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """seconds by the wall clock, CPU seconds, and the peak of the largest process in MB."""

    seconds: float
    cpu: float
    peak: float


def cost(
    command: Sequence[object], folder: Path | None = None, env: Mapping[str, str] | None = None
) -> Cost:
    """Run a command in `folder` to its end and return its cost; stop here if it fails."""
    os.sync()  # what an earlier command wrote is not paid for by this one
    with tempfile.TemporaryFile("w+") as said:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{said.read()[-2000:]}\n{command[0]} failed: exit code {process.returncode}.")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)
