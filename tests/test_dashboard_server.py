"""The dashboard's server: what it gives to whom, and that nobody can run code through it."""

import contextlib
import json
import re

import pytest
import websocket

import example
from serving import get, served

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
