"""The dashboard's server: what it gives to whom, and that nobody can run code through it."""

import asyncio
import contextlib
import http.client
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
import websocket

import example
from exams.dashboard.server import Page
from serving import get, served

BINARY, TEXT = websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_TEXT
pytestmark = pytest.mark.slow
ELSEWHERE = {"Host": "attacker.example"}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return example.make(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def server(places):
    with served(places) as address:
        yield address


@pytest.fixture(scope="module")
def guarded(places):
    with served(places, token="let-me-in") as address:
        yield address


# Files, addresses, hosts


def test_no_file_and_no_other_notebook_is_given_away(server):
    assert get(server, "/voila/files/dashboard.ipynb").status == 403
    assert get(server, "/voila/files/../data/contract.yaml").status == 403
    assert get(server, "/voila/templates/exams/static/../index.html.j2").status != 200
    assert get(server, "/voila/render/load.ipynb").status != 200
    assert get(server, "/voila/templates/exams/static/vega.js").status == 200


ASSETS = [
    "/voila/templates/exams/static/app.js",
    "/voila/templates/exams/static/vega.js",
    "/voila/static/voila.js",
    "/voila/static/favicon.ico",
]


@pytest.mark.parametrize("path", ASSETS)
def test_no_script_or_picture_is_given_without_the_token_or_to_another_host_name(
    server, guarded, path
):
    assert get(guarded, f"{path}?token=let-me-in").status == 200
    for wrong in (path, f"{path}?token=wrong"):
        answer = get(guarded, wrong)
        assert answer.status != 200 and not answer.read()
    assert get(server, path, **ELSEWHERE).status == 403


def test_who_was_let_in_stays_in_by_a_cookie_that_no_script_can_read(guarded):
    cookie = get(guarded, "/?token=let-me-in").getheader("Set-Cookie")
    assert "HttpOnly" in cookie
    assert get(guarded, ASSETS[0], Cookie=cookie.partition(";")[0]).status == 200


def test_nobody_is_told_the_address_of_a_page_by_its_kernel(server):
    with line_to_kernel(server) as (_, kernel, _comm):
        address = f"{server.replace('http', 'ws')}voila/query/{kernel}"
        with pytest.raises(websocket.WebSocketException):
            websocket.create_connection(address, timeout=20)


SCRIPT = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "path",
    ["?page={}", "?quarter={}", "?theme={}", "{}", "voila/files/{}", "voila/render/{}",
     "voila/templates/exams/static/{}", "voila/templates/{}/static/app.js", "voila/static/{}",
     "api/kernels/{}", "login?next=/{}"],
)  # fmt: skip
def test_no_script_in_an_address_gets_into_a_page(server, path):
    for quoted in (quote(SCRIPT), quote(f'">{SCRIPT}')):
        assert SCRIPT.encode() not in get(server, "/" + path.format(quoted)).read()


OUTSIDE = ["/etc/passwd", "../../../../../../../../../etc/passwd", "..%2f..%2f..%2findex.html.j2"]


@pytest.mark.parametrize("root", ["templates/exams/static", "static", "files", "labextensions"])
def test_no_way_leads_out_of_the_folders_of_the_scripts(server, root):
    for path in OUTSIDE:
        answer = get(server, f"/voila/{root}/{path}")
        assert answer.status != 200 and b"root:" not in answer.read()


def test_no_theme_or_template_is_taken_from_the_address(server):
    text = get(server, "/?theme=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&template=classic").read()
    assert b"alert(1)" not in text
    assert b'id="exams-data"' in text


def test_pages_may_load_nothing_from_elsewhere_and_stand_in_no_frame(server):
    policy = get(server, "/").getheader("Content-Security-Policy")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_without_a_token_only_names_of_this_machine_are_answered(server):
    assert get(server, "/", **ELSEWHERE).status == 403
    assert get(server, "/").status == 200


def test_a_token_in_the_environment_is_asked_for(guarded):
    assert shows_figures(guarded, "/?token=let-me-in")
    for path in ("/", "/?token=wrong"):
        assert not shows_figures(guarded, path)
        assert not shows_figures(guarded, path, **ELSEWHERE)


def shows_figures(server, path, **headers):
    answer = get(server, path, **headers)
    return answer.status == 200 and b'id="exams-data"' in answer.read()


# Running code


@contextlib.contextmanager
def line_to_kernel(server):
    """Open a page and a line of one's own to its kernel; give line, kernel and comm."""
    text = get(server, "/").read().decode()
    data = re.search(r'<script id="exams-data" type="application/json">(.*?)</script>', text, re.S)
    found = json.loads(data[1])
    address = f"{server.replace('http', 'ws')}api/kernels/{found['kernel']}/channels?session_id=x"
    line = websocket.create_connection(address, timeout=20)
    try:
        yield line, found["kernel"], found["payload"]["comm"]
    finally:
        line.close()


def send(line, kind, content, channel="shell"):
    header = {"msg_id": kind, "msg_type": kind, "session": "x", "username": "", "version": "5.3"}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    line.send(json.dumps(message | {"channel": channel, "buffers": []}))


def answers_to_what_is_sent(line, comm):
    """Ask the comm, which the kernel answers last; return what was answered before, by type."""
    send(line, "comm_msg", {"comm_id": comm, "data": {"quarter": None, "have": None}})
    seen = []
    while True:
        message = json.loads(line.recv())
        parent = message["parent_header"].get("msg_type")
        if message["msg_type"] == "comm_msg":
            return seen
        seen.append((parent, message["msg_type"]))


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_a_viewer_cannot_run_code(server, tmp_path, channel):
    made = tmp_path / "made"
    code = f"open({str(made)!r}, 'w')"
    with line_to_kernel(server) as (line, _, comm):
        for kind in ("execute_request", "complete_request", "inspect_request", "debug_request"):
            send(line, kind, {"code": code, "cursor_pos": 4, "silent": False}, channel)
        send(line, "kernel_info_request", {})  # this one is allowed
        parents = {parent for parent, _ in answers_to_what_is_sent(line, comm)}
    assert "kernel_info_request" in parents
    assert parents <= {"kernel_info_request", "comm_msg"}
    assert not made.exists()


ORDERS = [
    "shutdown_request",
    "interrupt_request",
    "input_reply",
    "history_request",
    "usage_request",
]
FOREIGN = {"comm_id": "made-up", "target_name": "jupyter.widget", "data": {"state": {}}}


@pytest.mark.parametrize("channel", ["shell", "control", "stdin"])
def test_a_viewer_cannot_order_a_kernel_about(server, channel):
    with line_to_kernel(server) as (line, _, comm):
        for kind in ORDERS:
            send(line, kind, {"restart": False, "value": "1", "code": "1"}, channel)
        parents = {parent for parent, _ in answers_to_what_is_sent(line, comm)}
    assert not parents & set(ORDERS)  # and it lives to answer


def test_a_viewer_finds_no_other_comm_to_talk_to(server):
    with line_to_kernel(server) as (line, _, comm):
        for target in ("jupyter.widget", "jupyter.widget.control", "exams", "builtins.eval"):
            send(line, "comm_open", FOREIGN | {"target_name": target, "comm_id": target})
            send(line, "comm_msg", FOREIGN | {"comm_id": target})
        seen = answers_to_what_is_sent(line, comm)
    assert ("comm_open", "comm_close") in seen
    assert {kind for _, kind in seen} <= {"status", "comm_close", "stream"}


HEADER = json.dumps({"header": {"msg_type": "comm_msg"}})
FRAMES = {
    "no JSON": "{",
    "no object": "[1]",
    "no header": "{}",
    "nothing in the header": '{"header": {}, "channel": "shell"}',
    "no such channel": '{"header": {"msg_type": "comm_msg"}, "channel": "warehouse"}',
    "no content": HEADER[:-1] + ', "channel": "shell"}',
    "the other way": HEADER[:-1] + ', "channel": "iopub"}',
    "too deep": "[" * 100_000,
    "bytes": b"\xff\xfe\x00" * 10,
    "empty": "",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_frame_that_is_no_message_harms_nobody(server, frame):
    with line_to_kernel(server) as (mine, kernel, comm):
        address = f"{server.replace('http', 'ws')}api/kernels/{kernel}/channels?session_id=y"
        other = websocket.create_connection(address, timeout=20)
        other.send(frame, BINARY if isinstance(frame, bytes) else TEXT)
        assert answers_to_what_is_sent(mine, comm) is not None
        other.close()


def test_a_message_that_is_too_long_ends_the_line_and_no_more(server):
    ended = pytest.raises((websocket.WebSocketException, OSError))
    with line_to_kernel(server) as (line, _, comm), ended:
        send(line, "comm_msg", {"comm_id": comm, "data": {"have": "x" * (1 << 21)}})
        while line.recv():
            pass
    assert shows_figures(server, "/")


def test_a_form_that_is_too_long_is_refused(server):
    connection = http.client.HTTPConnection(server.removeprefix("http://").rstrip("/"), timeout=30)
    connection.putrequest("POST", "/login")
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    with contextlib.suppress(http.client.HTTPException, OSError):  # it may hang up at once
        assert connection.getresponse().status in (400, 413)
    assert shows_figures(server, "/")


def test_a_viewer_cannot_multiply_kernels_without_end(places, tmp_path):
    (tmp_path / "voila.json").write_text(json.dumps({"Dashboard": {"most": 3}}))
    deep = tmp_path / "a-path-too-long-for-the-files-that-kernels-talk-over" / "on-many-systems"
    deep.mkdir(parents=True)
    with served(places, JUPYTER_CONFIG_DIR=str(tmp_path), TMPDIR=str(deep)) as address:
        statuses = {get(address, "/").status for _ in range(6)}
        assert statuses == {200, 503}
        answer = get(address, "/")
        assert (answer.status, answer.getheader("Retry-After")) == (503, "20")
        assert get(address, ASSETS[0]).status == 200  # those who are there go on


def test_a_page_whose_kernel_has_started_is_counted_once(monkeypatch):
    async def pieces(page, path):
        assert page in Page.opening
        yield "begin"
        assert page not in Page.opening
        yield "end"

    async def sent():
        return [piece async for piece in page.get_generator()]

    monkeypatch.setattr(Page.__base__, "get_generator", pieces)
    page = object.__new__(Page)
    Page.opening.add(page)
    with ThreadPoolExecutor() as beside:  # a browser's loop may run in this thread
        assert beside.submit(asyncio.run, sent()).result() == ["begin", "end"]


def test_a_viewer_cannot_run_code_by_the_page_s_own_line(server, tmp_path):
    made = tmp_path / "made"
    question = {"report": f"../../{made}", "code": f"open({str(made)!r}, 'w')"}
    with line_to_kernel(server) as (line, _, comm):
        send(line, "comm_msg", {"comm_id": comm, "data": question})
        while (message := json.loads(line.recv()))["msg_type"] != "comm_msg":
            pass
    assert message["content"]["data"] == {"error": "This was no question."}
    assert not made.exists()


def test_no_kernel_can_be_listed_or_started_and_no_contents_read(server):
    with line_to_kernel(server) as (_, kernel, _comm):
        for path in ("/api/kernels", "/api/contents", "/api/contents/data/contract.yaml",
                     "/api/sessions", "/api/terminals", "/voila/api/contents/"):  # fmt: skip
            answer = get(server, path)
            assert answer.status != 200 and kernel.encode() not in answer.read(), path


def test_a_kernel_is_asked_over_files_which_no_other_program_can_take_before_it(server):
    with line_to_kernel(server) as (_, kernel, _comm):
        processes = psutil.Process().children(recursive=True)
        [told] = [word for p in processes for word in p.cmdline() if f"{kernel}.json" in word]
        assert json.loads(Path(told).read_text())["transport"] == "ipc"
        assert Path(told).parent.stat().st_mode & 0o077 == 0


def test_a_page_elsewhere_gets_no_line_to_a_kernel(server):
    with line_to_kernel(server) as (_, kernel, _comm):
        address = f"{server.replace('http', 'ws')}api/kernels/{kernel}/channels"
        for origin in ("http://attacker.example", "null"):
            with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
                websocket.create_connection(address, origin=origin, timeout=20)


def test_without_the_token_there_is_no_line_to_a_kernel(guarded):
    text = get(guarded, "/?token=let-me-in").read().decode()
    kernel = re.search(r'"kernel": "([\w-]+)"', text)[1]
    address = f"{guarded.replace('http', 'ws')}api/kernels/{kernel}/channels"
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(address, timeout=20)
    line = websocket.create_connection(f"{address}?token=let-me-in", timeout=20)
    line.close()
