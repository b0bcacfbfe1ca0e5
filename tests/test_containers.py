"""deploy/: the compose file, the image, and the services of both, from a file to the dashboard."""

import json
import os
import re
import shlex
import shutil
import tempfile
from pathlib import Path

import pytest

from browser import tab
from containers import COMPOSE, HOME, SECRET, Engine, built, parsed, wait_until
from exams.cli import main
from exams.places import STAGES, Places
from exams.published import read
from exams.samples import read_sample, write_quarter
from exams.status import latest_runs
from serving import ROOT, free_port, get

BUILDERS, VIEWERS = ["etl", "ml"], ["dashboard", "api"]
QUARTER = "2026Q3"


@pytest.fixture(scope="module")
def composed():
    return parsed()


# The compose file


def test_the_compose_file_is_read_by_a_parser_of_compose_files(composed):
    assert [*composed["services"]] == ["api", "dashboard", "database", "desk", "etl", "ml"]
    assert [*composed["networks"]] == ["exams"]
    for service in composed["services"].values():
        assert service["networks"] == ["exams"]
        assert {*service["secrets"]} <= {*composed["secrets"]}
        assert {*service.get("depends_on", {})} <= {*composed["services"]}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("- private:/srv", "- privat:/srv", r"volume \[privat\] not defined"),
        ("networks: [exams]", "networks: [exam]", "missing networks: exam"),
        ("services:", "services: [", r"line \d+"),
    ],
)
def test_the_parser_refuses_a_compose_file_that_is_wrong(tmp_path, right, wrong, said):
    file = tmp_path / "compose.yaml"
    file.write_text(COMPOSE.read_text().replace(right, wrong))
    with pytest.raises(ValueError, match=said):
        parsed(file)


def test_a_service_can_gain_nothing_and_writes_into_volumes_alone(composed):
    for name, service in composed["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"] not in ("root", "0"), name
        if name != "desk":  # does not run by itself
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
            assert service["restart"] == "unless-stopped", name
        assert not {"privileged", "pid", "ipc", "network_mode", "cap_add"} & {*service}, name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name


def volumes(service):
    """Return the volumes of a service: where each is mounted, and whether it may be written."""
    found = [volume.split(":") for volume in service["volumes"]]
    return {source: (target, how != ["ro"]) for source, target, *how in found}


def test_what_is_private_has_no_way_to_a_service_that_others_reach(composed):
    places = Places(HOME / "data", HOME / "reports")
    public = {"status": "data/status", "published": "data/published", "reports": "reports"}
    for name in VIEWERS:
        service = composed["services"][name]
        assert service["user"] == "viewer"
        found = volumes(service)
        assert {*found} <= {*public}
        assert {source: str(HOME / public[source]) for source in found} == {
            source: target for source, (target, _) in found.items()
        }
        assert not any(writes for _, writes in found.values())
        assert "database_password" not in service["secrets"]
        assert "EXAMS_WAREHOUSE" not in service["environment"]
        private = (str(HOME / "data/private"), str(places.deliveries))
        assert not any(path.startswith(target) for target, _ in found.values() for path in private)


def test_who_takes_in_cannot_publish_and_who_publishes_cannot_deliver(composed):
    etl, ml = (volumes(composed["services"][name]) for name in BUILDERS)
    delivered = "../data/deliveries"  # by the folder of the file
    writes = [{source for source, (_, may) in found.items() if may} for found in (etl, ml)]
    assert writes == [
        {delivered, "private", "status", "reports"},
        {"private", "status", "reports", "published"},
    ]
    assert {*etl} == {*ml}


def test_services_start_in_the_order_of_the_flow_and_the_dashboard_waits_for_nobody(composed):
    before = {
        name: {of: how["condition"] for of, how in service.get("depends_on", {}).items()}
        for name, service in composed["services"].items()
    }
    healthy = "service_healthy"
    assert before == {
        "database": {},
        "etl": {"database": healthy},
        "ml": {"database": healthy, "etl": healthy},
        "dashboard": {},
        "api": {},
        "desk": {},
    }
    assert composed["services"]["desk"]["profiles"] == ["desk"]


def test_two_services_share_the_stages_between_them(composed):
    until, since = (composed["services"][name]["command"] for name in BUILDERS)
    assert until == ["exams", "schedule", "--until", "load"]
    assert since == ["exams", "schedule", "--from", STAGES[STAGES.index("load") + 1]]


def test_each_service_that_builds_has_a_mode_of_its_own(composed):
    def modes(**environment):
        services = parsed(**environment)["services"]
        return [services[name]["environment"]["EXECUTION_MODE"] for name in BUILDERS]

    assert modes() == ["production", "production"]
    assert modes(ETL_MODE="test") == ["test", "production"]
    assert modes(ML_MODE="test") == ["production", "test"]


def test_secrets_are_files_that_git_and_the_image_do_not_know(composed):
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "deploy/secrets/" in ignored
    files = [secret["file"] for secret in composed["secrets"].values()]
    assert all(file.startswith("secrets/") for file in files)
    for name, service in composed["services"].items():
        for variable, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|TOKEN|SECRET|KEY", variable) or (
                variable.endswith("_FILE") and value.startswith("/run/secrets/")
            ), f"{name}: {variable}"
            assert not re.search(r"://[^@/]*:[^@/]*@", value), f"{name}: {variable}"


# The image


RECIPE = (ROOT / "deploy/Containerfile").read_text()


def test_bases_are_pinned_by_digest(composed):
    bases = re.findall(r"^FROM (\S+)", RECIPE, re.M)
    assert {*bases} == {"${PYTHON}"}
    pinned = [*re.findall(r"^ARG PYTHON=(\S+)", RECIPE, re.M)]
    pinned += [composed["services"]["database"]["image"]]
    for image in pinned:
        assert re.fullmatch(r"\w+:[\w.-]+@sha256:[0-9a-f]{64}", image)


def pins(lock):
    found = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", (ROOT / lock).read_text(), re.M)
    return {(name, version) for name, version in found}


def test_the_lock_of_the_image_is_a_part_of_the_lock_of_the_project():
    ours, whole = pins("deploy/requirements.lock"), pins("requirements.lock")
    assert ours < whole
    names = {name for name, _ in ours}
    assert {"ploomber", "voila", "datasette", "hatchling"} <= names
    assert {"pytest", "playwright", "ruff", "mypy"} & names == set()


def test_nothing_but_what_is_named_reaches_the_builder():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    taken = {line.removeprefix("!") for line in rules if line.startswith("!")}
    of_data = {path for path in taken if path.startswith("data/")}
    assert of_data == {f"data/{name}" for name in ("contract.yaml", "contracts", "sample.json")}
    copied = [words.split()[:-1] for words in re.findall(r"^COPY (?!--)(.+)$", RECIPE, re.M)]
    assert {source for sources in copied for source in sources} == taken - of_data | {"data"}


@pytest.fixture(scope="module")
def image():
    """Build the image, in a folder that its users can reach."""
    with built(Path(tempfile.mkdtemp(prefix="exams-image-", dir="/var/tmp"))) as made:
        yield made


@pytest.mark.slow
def test_the_image_has_a_user_of_its_own_and_holds_no_secret_and_no_delivery(image):
    assert image.settings["User"] == "exams"
    ids = re.findall(r"^(?:exams|viewer):x:(\d+):", image.users(), re.M)
    assert ids == ["10001", "10002"]
    names = {variable.partition("=")[0] for variable in image.settings["Env"]}
    assert names == {"PATH", "HOME", "PLOOMBER_STATS_ENABLED"}
    there = f"{image.root}{HOME}"
    assert sorted(path.name for path in Path(there, "data").iterdir()) == [
        "contract.yaml",
        "deliveries",
        "private",
        "published",
        "sample.json",
        "status",
    ]
    held = [path for path in Path(there).rglob("*") if ".venv" not in path.parts]
    secret = [p for p in held if p.is_file() and SECRET in p.read_text(errors="replace")]
    assert secret == []
    assert len(held) > 20
    empty = [path for path in Path(there).rglob("*") if path.is_dir() and not any(path.iterdir())]
    made = {Path(there, path) for path in ("data/deliveries", "data/private", "data/status")}
    assert made | {Path(there, "data/published"), Path(there, "reports")} <= {*empty}
    owners = {path.stat().st_uid for path in Path(there).rglob("*") if path not in empty}
    assert owners == {0}  # whoever runs it cannot change it, even where it can be written


@pytest.mark.slow
def test_the_libraries_of_the_image_are_compiled_and_without_their_tests(image):
    [site] = Path(f"{image.root}{HOME}").glob(".venv/lib/*/site-packages")
    for folder, name in (("exams", "cli"), ("pandas/core", "frame"), ("voila", "app")):
        assert [*(site / folder / "__pycache__").glob(f"{name}.*.pyc")], name
    assert [path for path in site.rglob("tests") if path.is_dir()] == []


# The services


class Office:
    """The services at work, and what a person in the office sees of them."""

    def __init__(self, engine, deliveries, ports):
        self.engine, self.deliveries, self.ports = engine, deliveries, ports
        self.places = Places(engine.volumes / "data", engine.volumes / "reports")
        self.status = engine.volumes / "status/status.db"
        self.published = engine.volumes / "published/published.db"
        self.address = f"http://127.0.0.1:{ports['dashboard']}/"

    def deliver(self, files):
        """Put files into the folder of the quarter, as whoever may deliver."""
        for file in files:
            draft = self.deliveries / file.name
            draft.write_bytes(file.read_bytes())  # of root's, and open to others
            draft.replace(self.deliveries / QUARTER / file.name)

    def run(self, stage):
        """Return the latest run of a stage."""
        runs = {run["stage"]: run for run in latest_runs(self.status)}
        return runs.get(stage, {"id": 0, "state": None})

    def wait_for(self, stage, state, after=0):
        """Wait until a run of a stage, later than the one of that number, is in that state."""

        def reached():
            run = self.run(stage)
            return run["id"] > after and run["state"] == state

        wait_until(reached, self.said)

    def said(self):
        told = (f"{name}:\n{self.engine.said(name)[-2000:]}" for name in self.engine.running)
        return "\n".join(told)

    def begin(self, name):
        more = ["--port", str(self.ports[name])] if name in self.ports else []
        self.engine.start(name, *more)

    def students(self):
        """Return the number of students of the last publication."""
        rows = read(self.published, "mean_by_group", QUARTER)
        return next(row["n"] for row in rows if row["dimension"] == "all")


def students_in(files):
    """Return how many records of sample files are loaded: five of each are spoilt."""
    return sum(len(file.read_text().splitlines()) - 1 - 5 for file in files)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the files of a sample quarter."""
    folder = tmp_path_factory.mktemp("sample")
    return [*write_quarter(read_sample(Places(ROOT / "data", folder)), QUARTER, folder)]


@pytest.fixture(scope="module")
def office(image):
    """Start the services in the order of the compose file, each when those before are healthy."""
    folder = Path(tempfile.mkdtemp(prefix="exams-office-", dir="/var/tmp"))
    deliveries = folder / "deliveries"
    (deliveries / QUARTER).mkdir(parents=True)
    backups = folder / "backups"
    folders = {"DELIVERIES": str(deliveries), "BACKUPS": str(backups)}
    composed = parsed(ETL_MODE="test", ML_MODE="test", **folders)
    engine, database = Engine(image, composed, folder), free_port()
    ports = {name: free_port() for name in VIEWERS}
    engine.instead = {"0.0.0.0": "127.0.0.1"}
    engine.instead |= dict(zip(("8866", "8867"), map(str, ports.values()), strict=True))
    asking = ("database", *BUILDERS, "desk")
    engine.more = {name: {"PGPORT": str(database)} for name in asking}
    backups.mkdir()
    for path in (deliveries, deliveries / QUARTER, backups):
        os.chown(path, engine.user("exams"), engine.user("exams"))
    found = Office(engine, deliveries, ports)
    try:
        for name in ("database", *BUILDERS, "dashboard"):
            found.begin(name)
            engine.wait_until_healthy(name)
        yield found
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def page(office, browser):
    token = (office.engine.secrets / "dashboard_token").read_text().strip()
    with tab(browser, office.address) as opened:
        opened.page.goto(f"{office.address}?token={token}&page=home")
        yield opened.page


def wait_for_students(office, page, count):
    """Wait until the page shows so many students."""
    tile = page.locator(".tile").filter(has_text="Students").first
    wait_until(tile.get_by_text(f"{count:,}").is_visible, office.said)


@pytest.mark.slow
@pytest.mark.browser
def test_a_delivery_goes_from_the_folder_to_the_dashboard_within_two_ticks(office, page, files):
    before = {name: len(office.engine.said(name)) for name in BUILDERS}
    office.deliver(files[:1])
    wait_for_students(office, page, students_in(files[:1]))
    office.wait_for("visualize", "done")
    etl, ml = (office.engine.said(name)[before[name] :] for name in BUILDERS)
    loading, figures = (
        re.search(rf"(?s).*{QUARTER}  {stage} +done", text)[0]
        for stage, text in (("load", etl), ("publish", ml))
    )
    early = figures.count(f"{QUARTER}  waits for load")  # a tick before there is anything to do
    assert loading.count("Tick, ") + figures.count("Tick, ") - early <= 2
    assert office.run("load")["ended"] <= office.run("model")["started"]
    runs = latest_runs(office.status)
    assert [(run["stage"], run["state"]) for run in runs] == [(s, "done") for s in STAGES]
    assert [run["host"] for run in runs] == ["etl"] * 3 + ["ml"] * 3


@pytest.mark.slow
@pytest.mark.browser
def test_the_whole_survives_the_kill_of_each_of_its_processes(office, page, files):
    engine, former = office.engine, students_in(files[:1])
    wait_for_students(office, page, former)
    last = {stage: office.run(stage)["id"] for stage in STAGES}
    office.deliver(files[1:])
    office.wait_for("extract", "running", last["extract"])
    engine.kill("etl")
    assert office.students() == former
    office.begin("etl")
    office.wait_for("load", "running", last["load"])
    engine.kill("database")
    office.begin("database")
    office.wait_for("load", "done", last["load"])
    office.wait_for("model", "running", last["model"])
    engine.kill("ml")
    engine.kill("dashboard")
    office.begin("ml")
    office.begin("dashboard")
    engine.wait_until_healthy("dashboard")
    page.reload()
    page.wait_for_selector("main[data-drawn]")
    wait_for_students(office, page, students_in(files))
    office.wait_for("visualize", "done", last["visualize"])
    for name in engine.running:
        assert engine.is_healthy(name)
    assert office.students() == students_in(files)


@pytest.mark.slow
def test_the_dashboard_finds_nothing_private_and_can_write_nowhere(office):
    def tries(name, path, how="cat"):
        done = office.engine.exec(name, "sh", "-c", f"{how} {path}")
        return done.returncode, done.stderr.decode().rpartition(": ")[2].strip()

    code, denied = tries("dashboard", "data/private", "ls")
    assert (code, denied) == (2, "Permission denied")
    assert tries("dashboard", "data/deliveries", "ls") == (code, denied)
    assert tries("dashboard", "/run/secrets/database_password")[1] == "No such file or directory"
    assert tries("dashboard", "data/status/schedule-model.json", "test -r") == (0, "")
    for path in ("data/status/x", "data/published/x", "reports/x", "x", "/etc/x"):
        assert "Read-only" in tries("dashboard", path, "touch")[1], path
    assert tries("dashboard", "data/published/.lock") == (1, "Permission denied")  # nor hold it
    assert tries("etl", "data/private", "test -w") == (0, "")
    assert "Read-only" in tries("etl", "data/published/x", "touch")[1]
    assert "Read-only" in tries("ml", "data/deliveries/x", "touch")[1]


@pytest.mark.slow
def test_a_password_that_a_service_may_not_read_ends_it_in_words(office):
    secret = office.engine.secrets / "database_password"
    secret.chmod(0o600)
    try:
        done = office.engine.run("desk", "exams", "plan")
    finally:
        secret.chmod(0o644)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().strip().endswith(f"/run/secrets/{secret.name}: Permission denied")


@pytest.mark.slow
def test_the_api_tells_what_is_published_to_who_has_the_token_and_sees_nothing_else(office):
    office.begin("api")
    office.engine.wait_until_healthy("api")
    server = f"http://127.0.0.1:{office.ports['api']}/"
    path = "/published/mean_by_group.json?dimension=all&_shape=array"
    assert get(server, path).status == 401
    token = (office.engine.secrets / "api_token").read_text().strip()
    with get(server, path, Authorization=f"Bearer {token}") as answer:
        found = json.load(answer)
    assert answer.status == 200, found
    assert {row["n"] for row in found} == {office.students()}
    seen = office.engine.exec("api", "find", "data", "reports", "-type", "f")
    names = {Path(line).parts[1] for line in seen.stdout.decode().splitlines()}
    assert names == {"contract.yaml", "sample.json", "published"}
    assert office.engine.exec("api", "test", "-e", "/run/secrets/dashboard_token").returncode == 1


# The page


PAGE = (ROOT / "docs/containers.md").read_text()
CALLED = re.compile(r"^\$ docker compose (?:exec(?: -T)?|run --rm) (\w+) (.+)$", re.M)


def asked(command, service):
    """Return what the page runs in a service, without what the shell of the host does."""
    found = (words for name, words in CALLED.findall(PAGE) if name == service)
    [line] = [words for words in found if words.startswith(command)]
    return shlex.split(re.sub(r" [<>]\S+$", "", line))


def test_every_service_and_command_of_the_page_exists(composed):
    called = CALLED.findall(PAGE)
    assert len(called) > 7
    for service, command in called:
        assert service in composed["services"], service
        program, *words = shlex.split(command)
        if program == "exams":
            main.commands[words[0]].make_context(words[0], words[1:])
    table = PAGE.partition("| volume |")[0].partition("|---|")[2]
    users = dict(re.findall(r"^\| (\w+) \| [^|]+ \| (\w+) \|", table, re.M))
    assert users == {name: s["user"] for name, s in composed["services"].items()}


def test_the_page_tells_who_mounts_what(composed):
    for name, service in composed["services"].items():
        if name == "desk":
            continue
        [row] = re.findall(rf"^\| {name} \|[^|]+\|[^|]+\|([^|]+)\|([^|]*)\|$", PAGE, re.M)
        told = [set(re.findall(r"\w+", cell)) for cell in row]
        found = {("deliveries" if "/" in v else v): may for v, (_, may) in volumes(service).items()}
        assert told == [{v for v, may in found.items() if may is how} for how in (True, False)]


@pytest.mark.slow
@pytest.mark.browser
def test_the_commands_of_the_page_do_what_it_says(office, files):
    def run(service, command, may=0, **more):
        how = office.engine.run if service == "desk" else office.engine.exec
        done = how(service, *asked(command, service), **more)
        assert done.returncode in (0, may), (command, done.stderr.decode())
        return done.stdout

    office.deliver(files)  # the same files again make nothing due
    office.wait_for("visualize", "done")
    wait_until(lambda: office.students() == students_in(files), office.said)
    office.wait_for("visualize", "done")
    assert run("etl", "exams plan") == b"1 quarter is up to date.\n"
    assert b"load of 2026Q3 is done." in run("etl", "exams wait")
    assert run("etl", "exams status", may=1).startswith(b"quarter")  # 1: it was late
    dump = run("database", "pg_dump")
    run("desk", "exams backup")
    for name in BUILDERS:
        office.engine.kill(name)
    former = office.students()
    for statement in ("DROP DATABASE exams WITH (FORCE)", "CREATE DATABASE exams"):
        lost = ["psql", "--username=exams", "--dbname=postgres", f"--command={statement}"]
        assert office.engine.exec("database", *lost).returncode == 0
    office.published.unlink()
    run("database", "pg_restore", input=dump)
    run("desk", "exams restore")
    assert office.students() == former
    for name in BUILDERS:
        office.begin(name)
        office.engine.wait_until_healthy(name)
    assert run("etl", "exams plan") == b"1 quarter is up to date.\n"
