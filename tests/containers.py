"""Containers without an engine: deploy/compose.yaml as its parser reads it, the image as buildah
builds it, and each service in namespaces of its own, with the command, the user, the environment
and the mounts that the file gives it.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving import ROOT

COMPOSE = ROOT / "deploy/compose.yaml"
HOME = Path("/srv/exams")
NEEDED = ("buildah", "mmdebstrap", "setpriv", "unshare")  # as in .ci/run
PATIENCE = 180  # seconds, on a machine that has much else to do
_BASE = "localhost/exams-base"
_IMAGE = "localhost/exams"
# What pip has been told on this machine: the image is built here, and for here alone.
_TOLD = ("/etc/pip.conf", "/etc/ssl/certs")
_SETTING_UP = """
mount --make-rprivate /
echo {name} >/proc/sys/kernel/hostname
mount --bind {root} {root}
mount -t proc proc {root}/proc
mount --rbind /dev {root}/dev
mount -t tmpfs -o mode=755 run {root}/run
mkdir -p {root}/run/secrets
{mounts}
mount -o remount,ro,bind {root}
exec chroot {root} setpriv --reuid={uid} --regid={uid} --clear-groups --no-new-privs \
  --inh-caps=-all --bounding-set=-all env -i -C {home} {environment} {command}
"""


def parsed(file: Path = COMPOSE, **environment: str) -> dict[str, Any]:
    """Return a compose file as podman-compose reads it; fail with its last line if it does not."""
    program = Path(sys.executable).with_name("podman-compose")
    command = [program, "--dry-run", "-f", file, "config"]  # dry: it needs no podman
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | environment
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise ValueError(done.stderr.strip().splitlines()[-1])
    return yaml.safe_load(done.stdout)


@contextmanager
def built(folder: Path) -> Iterator["Image"]:
    """Build the image of deploy/Containerfile below `folder`, which is removed afterwards.

    Without a builder, or the right to mount, the test is skipped and says so.
    """
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing or os.geteuid():
        reason = f"{', '.join(missing)} not on the PATH" if missing else "only root may mount"
        pytest.skip(f"the image is not built: {reason}")
    image = Image(folder)
    try:
        image.build()
        yield image
    finally:
        image.remove()


class Image:
    """The image, its settings, and where its files lie once it is built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Path()
        self.settings: dict[str, Any] = {}

    def build(self) -> None:
        """Build it: on the base that it names, or on Debian's own where no registry is reached."""
        named = next(
            line.partition("=")[2]
            for line in (ROOT / "deploy/Containerfile").read_text().splitlines()
            if line.startswith("ARG PYTHON=")
        )
        if self._buildah("pull", "--quiet", named, check=False).returncode:
            print(f"{named} cannot be pulled: the image is built on Debian's Python.")
            self._make_base()
            named = _BASE
        told = [f"--volume={path}:{path}:ro" for path in _TOLD if Path(path).exists()]
        how = ["--isolation=chroot", "--quiet", f"--tag={_IMAGE}", f"--build-arg=PYTHON={named}"]
        self._buildah("bud", *how, *told, f"--file={ROOT}/deploy/Containerfile", str(ROOT))
        working = self._buildah("from", _IMAGE).stdout.strip()
        self.root = Path(self._buildah("mount", working).stdout.strip())
        self.settings = json.loads(self._buildah("inspect", _IMAGE).stdout)["OCIv1"]["config"]

    def _make_base(self) -> None:
        """Make a base of Debian's packages, in place of the one of the registry."""
        packages = "--include=python3,python3-venv,ca-certificates"
        old = '--aptopt=Acquire::Check-Valid-Until "false"'  # a mirror may be weeks behind
        files = self.folder / "base.tar"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", packages, old, "trixie", files]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        recipe = self.folder / "Containerfile"
        recipe.write_text(f"FROM scratch\nADD {files.name} /\n")
        self._buildah("bud", "--quiet", f"--tag={_BASE}", f"--file={recipe}", str(self.folder))

    def _buildah(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        own = [f"--root={self.folder}/store", f"--runroot={self.folder}/run"]
        command = ["buildah", *own, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr[-2000:]
        return done

    def remove(self) -> None:
        """Remove whatever was made."""
        self._buildah("umount", "--all", check=False)
        self._buildah("rm", "--all", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def user(self, name: str) -> int:
        """Return the number of a user of the image."""
        lines = (self.root / "etc/passwd").read_text().splitlines()
        return next(int(line.split(":")[2]) for line in lines if line.split(":")[0] == name)


class Engine:
    """Runs services of the compose file, each as the file says; their ports are of loopback.

    volumes: the folder of the named ones; deliveries: the folder that stands for DELIVERIES.
    """

    def __init__(self, image: Image, composed: Mapping[str, Any], folder: Path) -> None:
        self.image, self.services, self.folder = image, composed["services"], folder
        self.volumes, self.secrets = folder / "volumes", folder / "secrets"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.instead: dict[str, str] = {}  # in commands and environments, for this machine
        for made in (self.volumes, self.secrets):
            made.mkdir()
        for name in composed["secrets"]:
            (self.secrets / name).write_text(f"{name}-of-a-test\n")

    def start(self, name: str, *more: str) -> None:
        """Start a service, as at first or after its end; it writes to `<name>.log`."""
        command = [*self._words(name), *more]
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                self._called(name, command), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self, name: str) -> None:
        """Let all processes of a service die at once."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End whatever runs."""
        for name in [*self.running]:
            self.kill(name)

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run another command where a service runs, as its user, without its entry point."""
        called = self._called(name, command, entry=())
        return subprocess.run(called, capture_output=True, text=True, check=False)

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a service once."""
        kind, *words = self._told(self.services[name]["healthcheck"]["test"])
        command = ["sh", "-c", words[0]] if kind == "CMD-SHELL" else words
        return self.run(name, *command).returncode == 0

    def wait_until_healthy(self, name: str) -> None:
        wait_until(lambda: self.is_healthy(name), lambda: f"{name}: {self.said(name)[-2000:]}")

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def said(self, name: str) -> str:
        """Return what a service has printed."""
        return self.log(name).read_text(errors="replace")

    def _words(self, name: str) -> list[str]:
        command = self.services[name]["command"]
        return self._told(shlex.split(command) if isinstance(command, str) else command)

    def _told(self, words: Sequence[str]) -> list[str]:
        return [self._replaced(str(word)) for word in words]

    def _replaced(self, text: str) -> str:
        for former, here in self.instead.items():
            text = text.replace(former, here)
        return text

    def _called(
        self, name: str, command: Sequence[str], entry: Sequence[str] | None = None
    ) -> list[str]:
        """Return the command that makes the namespaces and runs a command in them."""
        service, settings = self.services[name], self.image.settings
        entry = settings["Entrypoint"] if entry is None else entry
        given = [*settings["Env"], *map("=".join, service.get("environment", {}).items())]
        script = _SETTING_UP.format(
            name=service.get("hostname", name),
            root=self.image.root,
            mounts="\n".join(self._mounts(service)),
            uid=self.image.user(service["user"]),
            home=settings["WorkingDir"],
            environment=shlex.join(self._told(given)),
            command=shlex.join([*entry, *command]),
        )
        own = ["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        return ["unshare", *own, "sh", "-ec", script]

    def _mounts(self, service: Mapping[str, Any]) -> Iterator[str]:
        root = self.image.root
        for path in service["tmpfs"]:
            yield f"mount -t tmpfs -o mode=1777 none {root}{path}"
        for name in service["secrets"]:
            yield f"touch {root}/run/secrets/{name}"
            yield f"mount --bind {self.secrets / name} {root}/run/secrets/{name}"
        for source, target, *how in (volume.split(":") for volume in service["volumes"]):
            yield f"mount --bind {self._volume(source, target)} {root}{target}"
            if how == ["ro"]:
                yield f"mount -o remount,ro,bind {root}{target}"

    def _volume(self, source: str, target: str) -> Path:
        """Return the folder of a volume; a new one is as the folder that it is mounted on."""
        if source.startswith("/"):
            return Path(source)
        folder, former = self.volumes / source, Path(f"{self.image.root}{target}").stat()
        if not folder.exists():
            folder.mkdir()
            folder.chmod(former.st_mode & 0o777)
            os.chown(folder, former.st_uid, former.st_gid)
        return folder


def wait_until(condition: Any, told: Any = lambda: "it did not happen in time") -> None:
    """Wait until a condition holds; fail with what is `told` if it takes too long."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.05)
