"""extract and transform on a cluster: the same warehouse, whatever happens to its workers."""

import gzip
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from given import SMALL, identified
from office import LIMIT, Office, counts

from building import QUARTER, build, scratch
from exams import cluster
from exams.cluster import crew
from exams.errors import ExamsError
from exams.intake.judging.identifiers import KEY
from exams.intake.shelf import Shelf
from exams.quarantine import export
from exams.stages import extract as extracting
from exams.stages import spread, there

pytestmark = pytest.mark.slow

NORTH = "track,points,mark\nnorth,3,4.5\nwest,11,\nNORTH, 7 ,\nsouth,5\n,,\n"
SOUTH = "points,mark,track\n5,6.0,south\n5,6.0,south\nx,6.0,canary\n"
SECRET = "a-key-that-no-log-may-show"
CANARY = "canary-4711"


@pytest.fixture(scope="module")
def workers():
    """Start two workers of one thread each; return the address of their scheduler."""
    with local_workers() as started:
        yield started.scheduler_address


@contextmanager
def local_workers():
    from distributed import LocalCluster

    kind = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**kind, silence_logs=50) as started:
        yield started


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    """Forget afterwards what a test asks for, and split what little there is into many calls."""
    for name in (cluster.EXECUTOR, cluster.SCHEDULER, cluster.STORAGE, KEY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(spread, "_GROUP", 1)
    monkeypatch.setattr(spread, "_BRANCH", 2)


@pytest.fixture
def ask(monkeypatch):
    def ask(scheduler="", storage=""):
        monkeypatch.setenv(cluster.EXECUTOR, "dask")
        monkeypatch.setenv(cluster.SCHEDULER, scheduler)
        monkeypatch.setenv(cluster.STORAGE, storage)

    return ask


@pytest.fixture
def office(tmp_path, small):
    office = Office(tmp_path, small)
    tracks = ("north", "n", "south")
    # Several parts: what makes them large are spaces, as records take time in every build.
    many = "".join(f"{tracks[n % 3]},{n % 12},{1 + n % 50 / 10:<400}\n" for n in range(45_000))
    office.deliver(north=NORTH, south=SOUTH, west="track;points;mark\nnorth;1;ä\n".encode("cp1252"))
    office.deliver(many="track,points,mark\n" + many)
    (office.folder() / "packed.csv.gz").write_bytes(gzip.compress(NORTH.encode() + b"n,1,2.0\n"))
    return office


def in_process(office):
    """Build in this process; return what the warehouse then holds."""
    office.build()
    return office.dump()


def listed(places, stage, quarter="2024Q1"):
    return sorted(file.name for file in places.interim(quarter, stage).iterdir())


def dump(warehouse):
    with closing(sqlite3.connect(warehouse)) as connection:
        return list(connection.iterdump())


def test_a_cluster_makes_the_same_warehouse_to_the_byte(office, ask, workers):
    before = in_process(office)
    staged = office.extract()
    ask(workers)
    assert [(r.received, r.malformed, len(r.parts)) for r in office.extract()] == [
        (r.received, r.malformed, len(r.parts)) for r in staged
    ]
    judged = office.transform()
    assert max(len(j.parts) for j in judged) > 1
    office.load()
    assert office.dump() == before
    kept = {"manifest.json", "cube.npz", *(n for j in judged for n in j.parts)}
    kept |= {f"quarantine-{name}" for j in judged for name in j.parts}
    assert set(listed(office.places, "transform")) == {
        n for n in kept if not n.startswith("00") or not n.endswith("malformed.arrow")
    }


def test_parts_of_one_process_are_judged_by_a_cluster_and_the_other_way_round(
    office, ask, workers, monkeypatch
):
    before = in_process(office)
    ask(workers)
    office.transform()
    office.load()
    assert office.dump() == before
    office.extract()
    monkeypatch.delenv(cluster.EXECUTOR)
    office.transform()
    office.load()
    assert office.dump() == before


def test_a_build_asks_for_them_by_its_settings_and_nothing_is_due_for_that(tmp_path):
    places = scratch(tmp_path, yaml.safe_dump(SMALL))
    (places.delivery(QUARTER) / "north.csv").write_text(NORTH)
    (places.delivery(QUARTER) / "south.csv").write_text(SOUTH)
    until = ("--partially", "load")
    assert build(places, QUARTER, *until)[0] == 0
    before = dump(places.warehouse)
    settings = ("--env--executor", "dask", "--env--scheduler", "")
    code, lines = build(places, QUARTER, *until, *settings)
    assert (code, lines[-1]) == (0, f"{QUARTER} is up to date.")
    assert build(places, QUARTER, *until, *settings, "--force")[0] == 0
    assert dump(places.warehouse) == before
    marked = [n for n in listed(places, "transform", QUARTER) if re.match(r"\d+-\d+-\w{8}\.", n)]
    assert len(marked) == 2  # as workers name them


def test_without_an_address_workers_are_started_here(tmp_path, small, ask):
    office = Office(tmp_path, small)
    office.deliver(north=NORTH, south=SOUTH)
    before = in_process(office)
    ask()
    office.build()
    assert office.dump() == before


UNIQUE = {"constraints": {"required": True, "unique": True}}
ONE = "candidate,track,points,mark\nAB-1,north,3,4.5\n AB-1 ,south,4,1\nAB-2,south,5,\n,north,1,\n"
TWO = "candidate,track,points,mark\nAB-2,north,11,\nAB-2,north,1,\nAB-3,south,5,6,7\nAB-4,n,1,\n"


@pytest.mark.parametrize("key", ["", SECRET])
def test_of_repeated_identifiers_the_first_counts_as_in_one_process(
    tmp_path, contract_of, ask, workers, monkeypatch, key
):
    office = Office(tmp_path, contract_of(identified(**UNIQUE)))
    monkeypatch.setenv(KEY, key)
    office.deliver(one=ONE, two=TWO, three=TWO.replace("AB-4", "AB-1"))
    before = in_process(office)
    held = office.rows("SELECT file, line FROM quarantine WHERE reason = 'duplicate' ORDER BY 1, 2")
    three = [("three.csv", line) for line in (2, 3, 5)]
    assert held == [("one.csv", 3), *three, ("two.csv", 2), ("two.csv", 3)]
    ask(workers)
    office.build()
    assert office.dump() == before


def test_corrections_stand_for_the_same_records(tmp_path, small, ask, workers):
    office = Office(tmp_path, small)
    office.deliver(north=NORTH, south=SOUTH)
    office.build()
    (first, *_) = export(office.places, "2024Q1", small, LIMIT)
    rows = first.read_text(encoding="utf-8-sig").replace("west", "south").replace("11", "1")
    office.deliver(again=rows.encode())
    before = in_process(office)
    assert office.rows("SELECT count(*) FROM quarantine WHERE resolved_by IS NOT NULL") > [(0,)]
    ask(workers)
    office.build()
    assert office.dump() == before


def test_files_are_refused_with_the_same_words(office, ask, workers):
    office.deliver(z="track,points,mark\n", y='track,points,mark\n"north,1,2.0\n')
    with pytest.raises(ExamsError) as alone:
        office.extract()
    loaded = counts(office.build(skip=True))
    before = office.dump()
    ask(workers)
    with pytest.raises(ExamsError) as spread_out:
        office.extract()
    assert str(spread_out.value) == str(alone.value)
    assert counts(office.build(skip=True)) == loaded
    assert office.dump() == before


# What happens to workers. They import this module to be tampered with.


def hold(place, sign):
    """Let this worker write the first part of a file only, say so, and go on no more."""
    write = there.write_parts

    def held(*arguments):
        for item in write(*arguments):
            yield item
            if isinstance(item, there.Part):
                Path(place, sign).write_text(str(os.getpid()))
                time.sleep(600)

    there.write_parts = held


def slow(seconds):
    """Let this worker take so long for each item."""
    write = there.write_parts

    def slowly(*arguments):
        for item in write(*arguments):
            time.sleep(seconds)
            yield item

    there.write_parts = slowly


def wait_for(path):
    limit = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert time.monotonic() < limit, f"no {path.name}"
        time.sleep(0.05)
    return path.read_text()


@contextmanager
def meanwhile(work):
    """Run `work` beside the block; its error is raised behind the block."""
    failed = []

    def run():
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]


def test_a_worker_that_is_killed_in_mid_work_costs_nothing_but_time(office, ask, tmp_path):
    before = in_process(office)
    with local_workers() as started:
        ask(started.scheduler_address)
        with started.get_client() as client:
            first = next(iter(client.nthreads()))
            client.run(hold, tmp_path, "held", workers=[first])

        def kill():
            os.kill(int(wait_for(tmp_path / "held")), signal.SIGKILL)

        with meanwhile(kill):
            read = office.extract()
        parts = [name for r in read for name in r.parts]
        assert listed(office.places, "extract") == sorted(["manifest.json", *parts])
        office.transform()
    office.load()
    assert office.dump() == before


def test_a_slow_worker_changes_nothing(office, ask):
    before = in_process(office)
    with local_workers() as started:
        ask(started.scheduler_address)
        with started.get_client() as client:
            client.run(slow, 0.5, workers=[next(iter(client.nthreads()))])
        office.build()
    assert office.dump() == before


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def stumble():
    raise ValueError(CANARY)


def answer():
    return "here"


def test_a_call_over_which_workers_die_ends_the_build_with_a_reason(ask):
    with local_workers() as started:
        ask(started.scheduler_address)
        with crew() as found, pytest.raises(ExamsError, match=r"E436 .* over the same call of die"):
            list(found.run(die, [()]))


def test_a_defect_is_told_by_class_and_place_alone(ask, workers):
    ask(workers)
    with crew() as found, pytest.raises(ExamsError) as raised:
        list(found.run(stumble, [()]))
    assert str(raised.value).startswith("E437 A worker failed: ValueError in test_dask.py")


def test_workers_of_another_release_are_not_asked_to_work(ask, workers, monkeypatch):
    ask(workers)
    monkeypatch.setattr(cluster, "release", lambda: "another")
    with crew() as found, pytest.raises(ExamsError, match="E435"):
        list(found.run(answer, [()]))


@pytest.mark.parametrize("library", ["numpy", "pyarrow"])
def test_another_release_of_a_library_that_reads_records_is_another_release(monkeypatch, library):
    found, known = cluster.release(), metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0" if name == library else known(name))
    assert cluster.release.__wrapped__() != found


def test_a_scheduler_that_does_not_answer_is_named(ask, office, monkeypatch):
    monkeypatch.setattr(cluster, "_ANSWER", 1)
    ask(f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(ExamsError, match=r"E432 No scheduler answers at tcp://127.0.0.1"):
        office.extract()


# A scheduler and workers as an administrator starts them.


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def command(log, *words, **variables):
    """Run a command of dask in a process of its own; its words go to the file `log`."""
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    here |= {"DASK_LOGGING__DISTRIBUTED": "debug", **variables}
    with log.open("ab") as said:
        started = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], stdout=said, stderr=said, env=here
        )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def scheduler(log, port):
    return command(log, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")


def worker(log, port, **variables):
    words = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(log.parent / "scratch"))
    return command(log, "worker", f"tcp://127.0.0.1:{port}", *words, **variables)


def tamper(port, function, *arguments):
    from distributed import Client

    with Client(f"tcp://127.0.0.1:{port}", timeout=30, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=60)
        client.run(function, *arguments)


def test_the_scheduler_is_restarted_and_the_build_ends_right(office, ask, tmp_path):
    before = in_process(office)
    port, log = free_port(), tmp_path / "log"
    ask(f"tcp://127.0.0.1:{port}")
    with scheduler(log, port) as first, worker(log, port):
        tamper(port, hold, tmp_path, "held")
        ended = threading.Event()

        def restart():
            wait_for(tmp_path / "held")
            first.kill()
            first.wait()
            with scheduler(log, port), worker(log, port):
                ended.wait(120)

        with meanwhile(restart):
            try:
                office.extract()
                office.transform()
            finally:
                ended.set()
    office.load()
    assert office.dump() == before


@pytest.mark.parametrize(
    ("signal_", "words"), [(signal.SIGKILL, "E433 .* did not come back"), (signal.SIGSTOP, "E434")]
)
def test_a_scheduler_that_is_gone_ends_the_build_with_a_reason(
    office, ask, tmp_path, monkeypatch, signal_, words
):
    for name, seconds in {"_PATIENCE": 3, "_ANSWER": 5, "_LOOK": 0.5}.items():
        monkeypatch.setattr(cluster, name, seconds)
    before = in_process(office)
    port, log = free_port(), tmp_path / "log"
    ask(f"tcp://127.0.0.1:{port}")
    with scheduler(log, port) as only, worker(log, port):
        tamper(port, hold, tmp_path, "held")

        def stop():
            wait_for(tmp_path / "held")
            only.send_signal(signal_)

        with meanwhile(stop), pytest.raises(ExamsError, match=words):
            office.extract()
    with pytest.raises(ExamsError, match="E201 The extract stage has handed nothing on"):
        office.transform()
    assert office.dump() == before


def test_without_a_worker_the_build_ends_with_a_reason(office, ask, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE", 3)
    monkeypatch.setattr(cluster, "_LOOK", 0.5)
    port = free_port()
    ask(f"tcp://127.0.0.1:{port}")
    with (
        scheduler(tmp_path / "log", port),
        pytest.raises(ExamsError, match="E434 For 3 s there was no worker"),
    ):
        office.extract()


def test_neither_the_key_nor_a_rejected_value_is_in_a_log(tmp_path, contract_of, ask, monkeypatch):
    office = Office(tmp_path, contract_of(identified(**UNIQUE)))
    office.deliver(one=ONE.replace("south,4", f"{CANARY},4"), two=TWO.replace("AB-3", CANARY))
    port, log = free_port(), tmp_path / "log"
    ask(f"tcp://127.0.0.1:{port}")
    with scheduler(log, port), worker(log, port):
        monkeypatch.setenv(KEY, SECRET)  # known to the build alone
        office.build()
        with crew() as found, pytest.raises(ExamsError):
            list(found.run(stumble, [()]))
    assert office.rows("SELECT count(*) FROM results WHERE candidate IS NOT NULL") == [(3,)]
    said = log.read_text()
    assert "judge_parts-" in said and "stumble-" in said  # it does log what is done
    for word in (SECRET, CANARY, "AB-1", "AB-2"):
        assert word not in said


# Storage that is no folder of this machine.


@pytest.fixture
def bucket(monkeypatch):
    """Serve S3 on this machine; return the address of a folder there, and what lists it."""
    import boto3
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # of another server
    client = boto3.client("s3")
    client.create_bucket(Bucket="exams")
    for left in ("extract/deliveries-1/a", "extract/parts-1/b", "transform/parts-1/c"):
        client.put_object(Bucket="exams", Key=f"office/2024Q1/{left}", Body=b"of a killed build")
    yield "s3://exams/office", lambda: client.list_objects_v2(Bucket="exams").get("Contents", [])
    server.stop()


def test_parts_pass_through_s3_and_nothing_stays_there(office, ask, bucket):
    before = in_process(office)
    address, lies_there = bucket
    with local_workers() as started:
        ask(started.scheduler_address, address)
        office.extract()
        assert {Path(found["Key"]).suffix for found in lies_there()} == {".arrow"}
        office.transform()
        assert lies_there() == []
        office.load()
        assert office.dump() == before
        office.transform()  # once more: what workers need is put there again
        assert lies_there() == []
    office.load()
    assert office.dump() == before


def test_storage_may_be_a_folder_that_is_mounted_elsewhere(tmp_path, small, ask, workers):
    office = Office(tmp_path, small)
    office.deliver(north=NORTH, south=SOUTH)
    before = in_process(office)
    ask(workers, (tmp_path / "mounted").as_uri())
    office.extract()
    folders = [path for path in (tmp_path / "mounted").rglob("*") if path.is_dir()]
    assert stat.S_IMODE(folders[-1].stat().st_mode) == 0o700
    office.transform()
    assert [path for path in (tmp_path / "mounted").rglob("*") if path.is_file()] == []
    office.load()
    assert office.dump() == before


def test_workers_know_the_storage_alone(office, ask, bucket):
    office.deliver(north=NORTH)
    found = extracting.find_files(office.places, "2024Q1", office.contract, LIMIT)
    arrival, layout = next(pair for pair in found.readable if pair[0].file == "north.csv")
    nowhere = Path("/nowhere")
    deliveries, out = (Shelf(nowhere / name, f"{bucket[0]}/{name}") for name in ("in", "out"))
    deliveries.put(arrival.path, arrival.sha256)
    elsewhere = replace(arrival, path=nowhere / "north.csv")
    with local_workers() as started:
        ask(started.scheduler_address, bucket[0])
        with crew() as found:
            calls = [(deliveries, out, 1, elsewhere, layout, LIMIT)]
            ((_, outcome),) = found.run(there.extract_file, calls)
    assert outcome.get().received == 5
    assert out.missing(outcome.get().parts) == []


def test_a_storage_that_refuses_is_told_without_its_words(office, ask, bucket, workers):
    ask(workers, "s3://no-such-bucket/x")
    with pytest.raises(ExamsError, match=r"E438 The storage in env.yaml cannot be used: \w+\. "):
        office.extract()


def test_a_worker_that_does_not_see_the_data_says_so(ask, workers, small):
    ask(workers)
    with crew() as found, pytest.raises(ExamsError, match="E439"):
        list(found.run(there.merge_cubes, [(Shelf(Path("/nowhere")), small, [])]))


def test_in_process_nothing_of_dask_is_imported(tmp_path):
    code = "import sys, exams.stages.flow, exams.stages.extract, exams.stages.transform\n"
    code += "print({'dask', 'distributed', 'fsspec', 's3fs'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
