"""The API: published tables as JSON and CSV, and nothing else, whatever is asked of it."""

import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from urllib.parse import quote, urlencode

import pytest

import example
from exams.errors import ExamsError
from exams.listening import address, token
from exams.places import Places
from exams.published import publish, withdraw
from serving import ROOT, free_port, get, wait_for

pytestmark = pytest.mark.slow
MEANS = "/published/mean_by_group"
SECRET = "of the warehouse alone"


@contextmanager
def answering(places, host="127.0.0.1", base_url="/", names=(), secret="", log=None):
    """Serve the published tables of `places`; give the address. log: a file for its words."""
    port = free_port()
    call = (
        "from pathlib import Path; from exams.api.serve import serve;"
        f"serve(Path({str(places.published)!r}), {host!r}, {port}, {base_url!r}, {names!r})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", call],
        stdout=subprocess.PIPE,
        stderr=log.open("w") if log else subprocess.PIPE,
        env=os.environ | {"EXAMS_API_TOKEN": secret},
        text=True,
    )
    try:
        assert process.stdout.readline().startswith("API: http://")
        wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    places = example.make(tmp_path_factory.mktemp("office"))
    for private in (places.warehouse, places.data / "published" / "other.db"):
        with closing(sqlite3.connect(private)) as connection, connection:
            connection.execute("CREATE TABLE results (name TEXT)")
            connection.execute("INSERT INTO results VALUES (?)", [SECRET])
    return places


@pytest.fixture(scope="module")
def server(places):
    with answering(places, names=["results.example"]) as address:
        yield address


def ask(server, path, method="GET", **headers):
    """Return the status and the text of an answer."""
    answer = get(server, path, **headers) if method == "GET" else _send(server, path, method)
    return answer.status, answer.read().decode()


def _send(server, path, method):
    import http.client

    connection = http.client.HTTPConnection(server.removeprefix("http://").rstrip("/"), timeout=60)
    connection.request(method, path, body="x=1")
    return connection.getresponse()


def rows(server, path, **wishes):
    status, text = ask(server, f"{path}.json?{urlencode({'_shape': 'array', **wishes})}")
    assert status == 200, text
    return json.loads(text)


# What is given


def test_a_table_comes_as_json_filtered_sorted_and_cut(server):
    found = rows(
        server, MEANS, quarter="2026Q1", dimension="all", _sort="score", _col="mean", _size=1
    )
    assert [(row["quarter"], row["score"], row["mean"]) for row in found] == [
        ("2026Q1", "algebra", pytest.approx(62.6, abs=2))
    ]
    least = rows(server, MEANS, quarter="2026Q1", n__lt=400, suppressed=0)
    assert least and all(row["n"] < 400 for row in least)


def test_pages_follow_each_other_and_hold_every_row_once(server):
    path, found = f"{MEANS}.json?_size=7&_shape=objects", []
    while path:
        page = json.loads(ask(server, path)[1])
        found += [(r["quarter"], r["dimension"], r["level"], r["score"]) for r in page["rows"]]
        path = page["next_url"] and page["next_url"].removeprefix(server.rstrip("/"))
    assert len(found) == len(set(found)) == page["filtered_table_rows_count"] > 14


def test_a_table_comes_whole_as_csv(server, places):
    status, text = ask(server, f"{MEANS}.csv?_stream=1")
    assert status == 200
    with closing(sqlite3.connect(places.published)) as connection:
        expected = connection.execute("SELECT * FROM mean_by_group ORDER BY rowid").fetchall()
    shown = list(csv.reader(io.StringIO(text)))[1:]
    assert sorted(shown) == sorted([["" if v is None else str(v) for v in row] for row in expected])


def test_the_catalogue_is_searched_and_tables_and_columns_are_described(server):
    found = rows(server, "/published/catalog", _search="gap")
    assert {"gaps", "score_gaps"} <= {row["name"] for row in found}
    told = json.loads(ask(server, "/-/metadata.json")[1])["databases"]["published"]["tables"]
    assert told["levels"]["description"].startswith("One row per")
    assert all(table["description"] and all(table["columns"].values()) for table in told.values())
    page = ask(server, "/published/mean_by_group?suppressed=1")[1]
    assert "One row per" in page
    assert "&lt;script&gt;document.title" in page and "<script>document.title" not in page


def test_a_misspelt_column_is_an_error_and_not_an_empty_answer(server):
    assert ask(server, f"{MEANS}.json?quartr=2026Q1") == (
        400,
        '{"ok": false, "error": "There is no column quartr.", "status": 400}',
    )
    assert ask(server, f"{MEANS}.json?quarter__exact=2026Q1&n__gt=1")[0] == 200


def test_the_next_publication_and_a_withdrawal_are_seen_at_once(tmp_path):
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    with answering(places) as server:
        assert ask(server, "/published.json")[0] == 503
        for version, number in ((1, 300), (2, 500)):
            tables = example.tables_of("2026Q1", example.students("2026Q1", number))
            publish(places.published, "2026Q1", tables, ("State exams", "1.0"))
            for _ in range(4):  # each of its threads
                assert [r["version"] for r in rows(server, "/published/publication")] == [version]
                whole = rows(server, MEANS, dimension="all")
                assert {row["n"] for row in whole} == {number}
        withdraw(places.published, "2026Q1")
        assert rows(server, "/published/publication") == []
        places.published.unlink()
        assert ask(server, f"{MEANS}.json")[0] == 503


EXAMPLE = re.compile(r"^\$ (curl .+)\n((?:(?!\$ |```).+\n)*)", re.M)


def examples():
    return EXAMPLE.findall((ROOT / "docs/api.md").read_text())


@pytest.mark.parametrize("command, shown", examples(), ids=range(len(examples())))
def test_what_the_docs_show_is_what_curl_gets(server, command, shown):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    there = command.replace("http://127.0.0.1:8867/", server)
    found = subprocess.run(["sh", "-c", there], capture_output=True, text=True, check=True).stdout
    found = found.replace(server, "http://127.0.0.1:8867/").replace("\r", "").rstrip("\n") + "\n"
    start, cut, _ = shown.partition("...\n")
    assert found[: len(start)] == start if cut else found == shown


def test_there_are_examples():
    assert len(examples()) == 7


# What is not

LONG = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
SQL = [
    LONG,
    "SELECT zeroblob(900000000)",
    "SELECT * FROM mean_by_group",
    "ATTACH DATABASE '{warehouse}' AS w",
    "SELECT load_extension('{warehouse}')",
    "SELECT readfile('{warehouse}')",
    "PRAGMA database_list",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM sqlite_dbpage",
    "DELETE FROM mean_by_group",
    "UPDATE publication SET version = 9",
    "DROP TABLE levels",
    "VACUUM INTO '{warehouse}2'",
    "SELECT writefile('{warehouse}2', 'x')",
]


@pytest.mark.parametrize(
    "page", ["/published", "/published.json", "/published.csv", f"{MEANS}.json"]
)
def test_no_sql_is_taken(server, places, page):
    former = places.published.read_bytes()
    for sql in SQL:
        text = sql.format(warehouse=places.warehouse)
        status, answer = ask(server, f"{page}?sql={quote(text)}")
        assert status in (400, 403), (sql, answer)
        assert SECRET not in answer
        status, answer = ask(server, f"{MEANS}.json?_where={quote(f'n IN ({text})')}")
        assert (status, SECRET in answer) == (403, False), sql
    assert places.published.read_bytes() == former
    assert not places.warehouse.with_name("warehouse.db2").exists()


PATHS = [
    "/published.db",
    "/_internal",
    "/_memory",
    "/warehouse",
    "/status.json",
    "/other/results.json",
    "/published/results.json",
    "/published/sqlite_master.json",
    "/published/catalog_fts_data.json",
    "/published/catalog~5Ffts.json",
    "/published/../other.db",
    "/published/..%2Fother.db",
    "/published/levels/../../../private/warehouse.db",
    "/../private/warehouse.db",
    "/%2e%2e/private/warehouse.db",
    "/-/static/../../../../../../etc/passwd",
    "/-/static/..%2f..%2f..%2fetc%2fpasswd",
    "/-/static-plugins/datasette/app.css",
    "//attacker.example/%2e%2e",
    *(
        f"/-/{page}{end}"
        for end in ("", ".json")
        for page in ("databases", "settings", "versions", "plugins", "threads", "actor")
    ),
    *(f"/-/{page}" for page in ("auth-token", "logout", "messages", "permissions", "allow-debug")),
    "/-/patterns",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_other_page_file_or_database_is_given(server, places, path):
    status, text = ask(server, path)
    assert status == 404
    assert SECRET not in text and str(places.data) not in text and "root:" not in text


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ("_size=1000", 200),
        ("_size=1001", 400),
        ("_size=99999999999999999999", 400),
        ("_size=-1", 400),
        ("_facet=dimension", 400),
        ("_facet_array=dimension", 400),
        ("_facet_date=quarter", 400),
        ("_sort=nothing", 400),
        ("_timelimit=never", 400),
        ("_col=nothing", 400),
        ("_search=x", 200),  # no index: ignored, and bounded like any page
        ("level__glob=" + "*[^!]" * 4000 + "!", 200),
    ],
)
def test_a_wish_beyond_the_limits_is_refused(server, wish, status):
    found, text = ask(server, f"{MEANS}.json?{wish}&_shape=array")
    assert found == status, text
    assert len(text) < 1_000_000


MISTAKES = [
    "/published/levels/2026Q1,essay.json",
    "/published/levels/~.json",
    "/published/catalog.json?_searchmode=raw&_search=%22",
    *(
        f"{MEANS}.json?{wish}"
        for wish in ("n__in=[[1]]", "_through={}", "&".join(["n__gt=4711"] * 1100))
    ),
]


def test_a_mistake_in_an_address_is_told_as_such_and_fills_no_log(places, tmp_path):
    with answering(places, log=tmp_path / "log") as server:
        for path in MISTAKES:
            status, text = ask(server, path)
            assert (status, json.loads(text)["status"]) == (400, 400), (path, text)
    assert (tmp_path / "log").read_text() == ""


def test_who_wants_a_line_to_stay_open_is_answered_once_and_fills_no_log(places, tmp_path):
    wish = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    wish["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    with answering(places, log=tmp_path / "log") as server:
        assert ask(server, "/published.json", **wish)[0] == 200
    assert (tmp_path / "log").read_text() == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_is_written(server, method):
    status, text = ask(server, f"{MEANS}.json", method)
    assert (status, json.loads(text)["error"]) == (405, "The API can only be read.")


def test_a_connection_can_neither_write_nor_attach(places):
    from datasette.app import Datasette

    from exams.api.app import Published

    database = Published(Datasette(memory=True), str(places.published))
    with closing(database.connect(write=True)) as connection:
        for sql in (
            "DELETE FROM levels",
            "CREATE TABLE t (x)",
            f"ATTACH '{places.warehouse}' AS w",
        ):
            with pytest.raises(sqlite3.OperationalError, match=r"readonly|too many attached"):
                connection.execute(sql)
        with pytest.raises((sqlite3.DataError, sqlite3.OperationalError)):
            connection.execute("SELECT length(zeroblob(900000000))").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="not authorized"):
            connection.execute("SELECT load_extension('x')")


def test_a_question_that_takes_too_long_is_given_up(places):
    import asyncio

    from datasette.database import QueryInterrupted

    from exams.api import app

    async def asked():
        datasette = app.Datasette(memory=True, settings=app.SETTINGS | {"sql_time_limit_ms": 50})
        database = app.Published(datasette, str(places.published))
        with pytest.raises(QueryInterrupted):
            await database.execute(LONG)

    with ThreadPoolExecutor() as beside:  # a browser's loop may run in this thread
        beside.submit(asyncio.run, asked()).result()


# Who may ask


def test_without_a_token_only_names_of_this_machine_are_answered(server):
    assert ask(server, "/.json", Host="attacker.example")[0] == 403
    assert ask(server, "/.json", Host="attacker.example:localhost")[0] == 403
    assert ask(server, "/.json", Host="LOCALHOST:1")[0] == 200


def test_no_page_elsewhere_may_read_an_answer(server):
    headers = get(server, f"{MEANS}.json", Origin="http://attacker.example").headers
    assert "access-control-allow-origin" not in {name.lower() for name in headers}
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_with_a_token_nothing_is_told_without_it(places):
    with answering(places, base_url="/figures", secret="let me in") as server:
        path = f"/figures{MEANS}.json?_size=1"
        for page in (path, "/figures/", "/figures/-/static/app.css", "/nowhere"):
            assert ask(server, page)[0] == 401
        assert ask(server, path, Authorization="Bearer let me out")[0] == 401
        assert ask(server, path, Authorization="Bearer ")[0] == 401
        assert ask(server, path, Cookie="exams_api=let me in")[0] == 401
        assert ask(server, path, Authorization="Bearer let me in")[0] == 200
        assert ask(server, MEANS, Authorization="Bearer let me in")[0] == 404  # not below the path
        sent_on = get(server, f"{path}&token=let+me+in")
        assert (sent_on.status, sent_on.headers["location"]) == (303, path)
        cookie = sent_on.headers["set-cookie"]
        assert "HttpOnly; SameSite=Strict" in cookie and "let me in" not in cookie
        assert ask(server, path, Cookie=cookie.partition(";")[0])[0] == 200


def test_a_token_may_lie_in_a_file_and_is_never_left_out_because_that_cannot_be_read(
    monkeypatch, tmp_path
):
    secret = tmp_path / "secret"
    monkeypatch.setenv("EXAMS_API_TOKEN_FILE", str(secret))
    for content in (None, b"", b" \n", b"\xff"):
        if content is not None:
            secret.write_bytes(content)
        with pytest.raises(ExamsError, match="E314 EXAMS_API_TOKEN_FILE names no readable secret"):
            token("127.0.0.1", "EXAMS_API_TOKEN")
    secret.write_text("let-me-in\n")
    assert token("0.0.0.0", "EXAMS_API_TOKEN") == "let-me-in"
    monkeypatch.setenv("EXAMS_API_TOKEN", "this-one")
    assert token("0.0.0.0", "EXAMS_API_TOKEN") == "this-one"


def test_beyond_this_machine_a_token_is_always_asked_for(monkeypatch):
    monkeypatch.delenv("EXAMS_API_TOKEN", raising=False)
    assert token("127.0.0.1", "EXAMS_API_TOKEN") == token("::1", "EXAMS_API_TOKEN") == ""
    made = [token(host, "EXAMS_API_TOKEN") for host in ("0.0.0.0", "::", "10.1.2.3", "office")]
    assert len({*made}) == 4 and min(map(len, made)) >= 32
    monkeypatch.setenv("EXAMS_API_TOKEN", "a&b")
    assert address("::1", 1, "/", token("::1", "EXAMS_API_TOKEN")) == "http://[::1]:1/?token=a%26b"


def test_a_name_behind_a_proxy_is_answered(server):
    assert ask(server, "/.json", Host="results.example")[0] == 200
    assert ask(server, "/.json", Host="other.example")[0] == 403


def test_without_datasette_its_installation_is_told(monkeypatch, places):
    from exams.api.serve import serve

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ExamsError, match=r"^E308 .*\[api\]"):
        serve(places.published, "127.0.0.1", free_port())
