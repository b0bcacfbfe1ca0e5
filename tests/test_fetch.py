"""Fetching: from a real server on the loopback interface, and from a stand-in for Kaggle."""

import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from given import write_contract

from exams import fetch as fetching
from exams.cli import main
from exams.errors import ExamsError
from exams.fetch import fetch
from exams.places import Places

QUARTER = "2019Q1"
TABLE = b"track,points,mark\nnorth,1,2.5\n"
LIMIT = 1000


class Answers(BaseHTTPRequestHandler):
    """Answers by path: each has a list of (status, headers, pieces), the last one for good."""

    def do_GET(self):
        self.server.asked.append(self.path)
        answers = self.server.answers[self.path]
        status, headers, pieces = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        for piece in pieces:
            if piece == "stall":
                self.server.over.wait()
            elif piece == "trickle":
                while not self.server.over.wait(0.02):
                    self.wfile.write(b"a")
            else:
                self.wfile.write(piece)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.answers, self.asked, self.over = {}, [], threading.Event()

    def give(self, path, *answers):
        self.answers[path] = list(answers)
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, *_):  # a client that goes away is no news
        pass


@contextmanager
def serving(server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(fetching, "RETRIES", fetching.RETRIES.new(backoff_factor=0.001))
    monkeypatch.setattr(fetching, "TIMEOUTS", (0.2, 0.2))
    with serving(Server()) as running:
        yield running


@pytest.fixture
def places(tmp_path):
    places = Places(tmp_path / "data", tmp_path / "reports")
    write_contract(places)
    return places


def whole(content=TABLE, **headers):
    return 200, {"Content-Length": len(content), **headers}, [content]


def delivered(places):
    """Return what lies in the quarter's folder; no draft may be left anywhere."""
    assert list((places.data / "private").iterdir()) == []
    folder = places.delivery(QUARTER)
    return {f.name: f.read_bytes() for f in folder.iterdir()} if folder.exists() else {}


def refused(url, places, code, limit=LIMIT):
    with pytest.raises(ExamsError) as error:
        fetch(url, QUARTER, places, limit)
    assert error.value.code == code
    assert delivered(places) == {}
    return error.value.message


def test_a_file_arrives_whole_under_its_name(server, places):
    url = server.give("/results/north.csv?key=secret", whole())
    assert fetch(url, QUARTER, places, LIMIT) == ["2019Q1: north.csv is delivered."]
    assert delivered(places) == {"north.csv": TABLE}


def test_a_file_that_intake_refuses_is_not_taken(server, places):
    url = server.give("/north.csv", whole(b"<!doctype html><p>Log in"))
    assert refused(url, places, "E110") == "north.csv is an HTML page, whatever its name says."


def test_the_command_fetches_within_the_limit_of_env_yaml(server, places, tmp_path, monkeypatch):
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "env.yaml").write_text(f"largest_file: {len(TABLE)}\n")
    monkeypatch.chdir(tmp_path)
    for content, code, words in [(TABLE, 0, "is delivered."), (TABLE + b"north,3,\n", 2, "E027")]:
        url = server.give("/north.csv", whole(content))
        result = CliRunner().invoke(main, ["fetch", url, "--quarter", QUARTER])
        assert (result.exit_code, words in result.output) == (code, True)
    assert (tmp_path / "data/deliveries/2019Q1/north.csv").read_bytes() == TABLE


@pytest.mark.parametrize(
    ("disposition", "path", "name"),
    [
        ('attachment; filename="south.csv"', "/x", "south.csv"),
        ("attachment; filename*=UTF-8''pr%C3%BCfung.csv", "/x", "prüfung.csv"),
        ('attachment; filename="../../etc/pass.csv"', "/x", "pass.csv"),
        (r'attachment; filename="..\\..\\boot.csv"', "/x", "boot.csv"),
        ('attachment; filename="...hidden.csv"', "/x", "hidden.csv"),
        ('attachment; filename="/"', "/x", "download"),
        ("inline", "/a/..%2Fnorth%0A.csv", "north_.csv"),
        (None, "/", "download"),
        (None, "/" + 300 * "n" + ".csv", 196 * "n" + ".csv"),
        (None, "/" + 100 * "%C3%BC" + ".csv", 98 * "ü" + ".csv"),
    ],
)
def test_a_name_has_no_folder_and_hides_nothing(server, places, disposition, path, name):
    headers = {"Content-Disposition": disposition} if disposition else {}
    fetch(server.give(path, whole(**headers)), QUARTER, places, LIMIT)
    assert list(delivered(places)) == [name]


def test_a_busy_server_is_asked_again(server, places):
    url = server.give("/a.csv", (503, {}, []), (503, {}, []), whole())
    fetch(url, QUARTER, places, LIMIT)
    assert delivered(places) == {"a.csv": TABLE}
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "times", "words"),
    [
        (404, 1, "has no such file (HTTP 404)."),
        (403, 1, "does not let you have this file (HTTP 403)."),
        (204, 1, "does not give this file (HTTP 204)."),
        (503, 5, "does not give this file (HTTP 503)."),
    ],
)
def test_a_server_that_does_not_give_the_file_is_quoted(server, places, status, times, words):
    url = server.give("/a.csv?key=secret", (status, {}, []))
    assert refused(url, places, "E026") == f"127.0.0.1:{server.server_port} {words}"
    assert len(server.asked) == times


def test_a_file_of_the_largest_size_is_taken(server, places):
    fetch(server.give("/a.csv", whole()), QUARTER, places, len(TABLE))
    assert delivered(places) == {"a.csv": TABLE}


def test_a_larger_file_is_refused_before_it_is_read(server, places):
    url = server.give("/a.csv", (200, {"Content-Length": 5000}, ["stall"]))
    assert refused(url, places, "E027", 4999) == "a.csv is larger than 4,999 bytes."


def test_a_larger_file_of_unknown_size_is_refused_on_the_way(server, places, monkeypatch):
    monkeypatch.setattr(fetching, "_PIECE", 100)
    url = server.give("/a.csv", (200, {}, [b"x" * 600, b"x" * 600, "stall"]))
    assert refused(url, places, "E027") == "a.csv is larger than 1,000 bytes."


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["stall"], "did not go on answering."),
        ([b"a,b\n", "stall"], "did not go on answering."),
        ([b"a,b\n"], "broke off in the middle of the file."),
    ],
)
def test_a_server_that_stalls_or_breaks_off_leaves_nothing(server, places, pieces, words):
    url = server.give("/a.csv", (200, {"Content-Length": 500}, pieces))
    assert refused(url, places, "E026").endswith(words)


@pytest.mark.parametrize("headers", [{"Content-Length": 5000}, {}])
def test_a_server_that_only_trickles_is_given_up(server, places, monkeypatch, headers):
    monkeypatch.setattr(fetching, "MINIMUM", 0.2)
    monkeypatch.setattr(fetching, "SLOWEST", 1_000)
    url = server.give("/a.csv", (200, headers, ["trickle"]))
    with pytest.raises(ExamsError, match=r"E026 127\.0\.0\.1:\d+ is too slow: it has sent \d+ b"):
        fetch(url, QUARTER, places, 10_000)
    assert not [*places.deliveries.rglob("*")]


def test_a_server_that_never_begins_to_answer_is_given_up(places, server, monkeypatch):
    monkeypatch.setattr(Answers, "do_GET", lambda self: self.server.over.wait())
    assert refused(server.give("/a.csv"), places, "E026").endswith("did not go on answering.")


def test_a_server_that_is_not_there_is_named(places, server):
    assert refused("http://127.0.0.1:1/a.csv", places, "E026") == "127.0.0.1:1 cannot be reached."
    words = refused("https://nowhere.invalid/a.csv", places, "E026")
    assert words == "nowhere.invalid is not known: there is no such name."


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.csv",
        "http://127.0.0.1.example.org/a.csv",
        "http://localhost@example.org/a.csv",
        "ftp://127.0.0.1/a.csv",
        "file:///etc/passwd",
        "https://",
        "https://[::1/a.csv",
        "https://host:port/a.csv",
        "a.csv",
    ],
)
def test_an_address_that_is_not_safe_is_not_asked(places, url):
    assert refused(url, places, "E025") == "The address is not safe to fetch from."


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1/b.csv", "/b.csv", "file:///etc/passwd", "https://[::1"]
)
def test_a_redirect_to_anything_but_https_is_refused(server, places, location):
    url = server.give("/a.csv", (302, {"Location": location}, []))
    words = "The server redirects to an address that is not safe to fetch from."
    assert refused(url, places, "E025") == words
    assert server.asked == ["/a.csv"]


def test_a_quarter_that_is_none_is_refused_before_anything_is_asked(server, places):
    url = server.give("/a.csv", whole())
    with pytest.raises(ExamsError, match="E001"):
        fetch(url, "2019", places, LIMIT)
    assert server.asked == []


# TLS


@pytest.fixture
def secure(server, tmp_path):
    """Return the server with a certificate of its own making, and where that lies."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=office", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
         certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server, certificate


def test_a_certificate_that_is_not_trusted_is_refused_in_words(secure, places, monkeypatch):
    server, certificate = secure
    url = server.give("/a.csv", whole()).replace("http:", "https:")
    words = "cannot prove who it is: self-signed certificate."
    assert refused(url, places, "E026").endswith(words)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    other = url.replace("127.0.0.1", "localhost")
    assert "Hostname mismatch" in refused(other, places, "E026")
    assert server.asked == []
    fetch(url, QUARTER, places, LIMIT)
    assert delivered(places) == {"a.csv": TABLE}


def test_redirects_to_https_are_followed_and_counted(secure, places, monkeypatch):
    server, certificate = secure
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    url = server.give("/a.csv", (302, {"Location": "/kept/4711"}, [])).replace("http:", "https:")
    server.give("/kept/4711", whole())
    fetch(url, QUARTER, places, LIMIT)
    assert list(delivered(places)) == ["a.csv"]
    shutil.rmtree(places.deliveries)
    server.give("/kept/4711", (302, {"Location": "/a.csv"}, []))
    assert refused(url, places, "E025").endswith("redirects without end.")


def test_a_server_without_tls_is_told_from_one_that_is_away(server, places):
    url = server.give("/a.csv", whole()).replace("http:", "https:")
    assert refused(url, places, "E026").endswith("does not speak TLS as it should.")


# Kaggle


@pytest.fixture
def kaggle(monkeypatch, tmp_path):
    """Stand in for kagglehub; return the files of its one data set, by name, and its calls."""
    files, calls = {}, []

    def dataset_download(handle, path=None, *, force_download=False, output_dir=None):
        calls.append((handle, path))
        for name, content in files.items():
            if path in (None, name):
                (file := Path(output_dir, name)).parent.mkdir(exist_ok=True)
                file.write_bytes(content)
        if path not in (None, *files):
            raise LookupError("no such file")
        return str(Path(output_dir, path or ""))

    module = ModuleType("kagglehub")
    module.dataset_download = dataset_download
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return files, calls


def test_the_one_csv_file_of_a_data_set_is_taken(kaggle, places):
    files, calls = kaggle
    files |= {"Results.CSV": TABLE, "readme.md": b"words"}
    said = fetch("kaggle://office/results", QUARTER, places, LIMIT)
    assert said == ["2019Q1: Results.CSV is delivered."]
    assert (delivered(places), calls) == ({"Results.CSV": TABLE}, [("office/results", None)])


def test_of_several_files_the_named_one_is_taken(kaggle, places):
    files, calls = kaggle
    files |= {"a.csv": b"a\n", "in/b.csv": TABLE}
    words = refused("kaggle://office/results", places, "E029")
    assert words == "office/results holds several files: a.csv, in/b.csv."
    fetch("kaggle://office/results/in/b.csv", QUARTER, places, LIMIT)
    assert delivered(places) == {"b.csv": TABLE}
    assert calls[-1] == ("office/results", "in/b.csv")


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("kaggle://office", "E029", "The address does not name a data set."),
        ("kaggle://office/results", "E029", "office/results is empty."),
        ("kaggle://office/results/c.csv", "E028", "Kaggle does not give office/results"),
    ],
)
def test_a_data_set_that_gives_no_file_is_refused(kaggle, places, url, code, words):
    assert refused(url, places, code).startswith(words)


def test_a_file_of_kaggle_may_not_be_larger_either(kaggle, places):
    kaggle[0]["a.csv"] = TABLE
    refused("kaggle://office/results", places, "E027", len(TABLE) - 1)


def test_without_kagglehub_its_installation_is_told(monkeypatch, places):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(ExamsError, match=r"E028 .*\.venv/bin/python -m pip install"):
        fetch("kaggle://office/results", QUARTER, places, LIMIT)
