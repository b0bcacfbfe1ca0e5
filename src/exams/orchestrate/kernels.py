"""Kernels of builds: they hold its locks, and are forked where that is possible."""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

from exams.orchestrate import forks, locks
from exams.processes import end_children

COMPLAINTS = "kernel.log"
_SOON = 5.0  # seconds, by which a forked kernel should listen, and any kernel end


class _Client(AsyncKernelClient):
    """A client that does not wait, each time, for 0.2 s in which nothing comes."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel answers and what it prints arrives; raise RuntimeError if not.

        What else it says of that stays: nbclient takes only what the cell of the moment causes.
        """
        until = math.inf if timeout is None else time.monotonic() + timeout
        while await self.is_alive() and time.monotonic() < until:
            self.kernel_info()
            with suppress(Empty):
                if (await self.get_shell_msg(timeout=1))["msg_type"] == "kernel_info_reply":
                    await self.get_iopub_msg(timeout=0.2)
                    return
        raise RuntimeError("The kernel does not answer.")


class LockedKernel(AsyncKernelManager):
    """A kernel that holds the locks of its build, too: if that is killed, it may live on.

    What its process says beside the notebook goes to a file: often it complains while it ends.
    """

    client_factory = Type(_Client, klass=AsyncKernelClient)

    async def _async_launch_kernel(self, kernel_cmd: list[str], **more: Any) -> None:
        with Path(self.connection_file).with_name(COMPLAINTS).open("wb") as said:
            held = (said.fileno(), *locks.held())
            fork = forks.fork(kernel_cmd, more["env"], Path(more.get("cwd") or Path.cwd()), held)
            if fork is None:
                more |= {"pass_fds": locks.held(), "stderr": said}
                await super()._async_launch_kernel(kernel_cmd, **more)
                return
        kernel: Any = self.provisioner
        kernel.process, kernel.pid, kernel.pgid = fork, fork.pid, fork.pid
        self._reconcile_connection_info(kernel.connection_info)
        await _until(lambda: self._listens() or fork.poll() is not None)

    _launch_kernel = _async_launch_kernel

    async def _async_shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """Let it end: what a cell has left open is written then. Kill it if it does not.

        What an interrupted cell has left in this process would take the end for a death: that is
        stopped, and the kernel killed at once.
        """
        await asyncio.sleep(0)  # what a cell has cancelled is gone then
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        kernel: Any = self.provisioner
        if not (now or left) and kernel is not None and kernel.has_process:
            await self._async_request_shutdown(restart)
            await _until(lambda: kernel.process.poll() is not None)
        if kernel is not None and isinstance(kernel.process, forks.Fork):
            kernel.process.kill()
            kernel.process = None
        await super()._async_shutdown_kernel(now=True, restart=restart)

    shutdown_kernel = _async_shutdown_kernel

    def _listens(self) -> bool:
        ports = (self.shell_port, self.iopub_port, self.stdin_port, self.hb_port, self.control_port)
        return all(Path(f"{self.ip}-{port}").exists() for port in ports)


async def _until(done: Callable[[], bool]) -> None:
    """Return when something is done, or should have been."""
    limit = time.monotonic() + _SOON
    while not done() and time.monotonic() < limit:
        await asyncio.sleep(0.005)  # who calls again, or looks again, does so after 0.1 s


def end(folder: str) -> None:
    """End every kernel that is left: those with `folder` in their command, and forked ones."""
    end_children(folder)
    forks.end()
