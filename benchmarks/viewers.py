"""What viewers wait for, and what they cost: the dashboard and the static site.

    PYTHONPATH=tests python benchmarks/viewers.py --data data --reports reports

Needs built quarters and Chromium. One viewer in a browser, with a kernel that waits and with
none; 25 at once, as HTTP and websocket clients; 500 of the static site, through one process of
Tornado, which comes with Jupyter. benchmarks/page.py makes a table of results/viewers.json.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
import requests
import websocket

from browser import chromium, tab
from exams.places import Places
from exams.static_site import write_site
from serving import ROOT, free_port, wait_for

HERE = Path(__file__).parent
# Called by serve.py in place of the real one: a benchmark wishes for other settings as well.
SERVE = """
import os, sys
from exams.dashboard.serve import serve
run = os.execve
os.execve = lambda program, words, place: run(program, [*words, *sys.argv[4:]], place)
serve(sys.argv[1], sys.argv[2], "127.0.0.1", int(sys.argv[3]))
"""
# Notes when the first key figures are painted, and when all charts are; milliseconds.
WATCH = """new MutationObserver(() => {
  const seen = (window.seen ??= {});
  const note = (name, selector) => {
    if (name in seen || !document.querySelector(selector)) return;
    seen[name] = null;
    requestAnimationFrame(() => setTimeout(() => { seen[name] = performance.now(); }));
  };
  note("first", ".tiles .value");
  note("charts", "main[data-drawn]");
}).observe(document, {subtree: true, childList: true, attributes: true})"""
LOADED = """() => {
  const found = [performance.getEntriesByType("navigation")[0],
    ...performance.getEntriesByType("resource")];
  return {...window.seen, requests: found.length,
    bytes: found.reduce((sum, entry) => sum + entry.transferSize, 0)};
}"""

# Chooses something in each filter of the page; the milliseconds until all is drawn, the longest.
NARROW = """async () => {
  const spent = [];
  for (const select of document.querySelectorAll(".filters select")) {
    const begin = performance.now();
    select.selectedIndex = 1;
    select.dispatchEvent(new Event("change"));
    while (!document.querySelector("main").dataset.drawn) await new Promise(requestAnimationFrame);
    spent.push(performance.now() - begin);
  }
  return Math.max(0, ...spent);
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    parser.add_argument("--reports", type=Path, default=ROOT / "reports")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--crowd", type=int, default=25)
    parser.add_argument("--static", type=int, default=500, help="viewers of the static site")
    parser.add_argument("--seconds", type=int, default=60, help="that these stay")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)  # what the child runs
    wish = parser.parse_args()
    if wish.serve:
        asyncio.run(serve_files(Path(wish.serve[0]), int(wish.serve[1])))
        return
    places = Places.of(wish.data, wish.reports)
    write_site(places)
    found: dict[str, object] = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    found["nice"] = os.nice(0)
    with chromium() as browser:
        with dashboard(places) as (address, server):
            found["warm"] = one_viewer(
                browser, address, wish.turns, lambda: wait_for_kernel(server)
            )
        with dashboard(places, "--VoilaConfiguration.preheat_kernel=False") as (address, _):
            found["cold"] = one_viewer(browser, address, wish.turns)
        with files(places.reports) as (address, _):
            found["site"] = one_viewer(browser, f"{address}site/index.html", wish.turns)
    with dashboard(places) as (address, server):
        wait_for_kernel(server)
        found["crowd"] = crowd(address, server, wish.crowd)
    with files(places.reports) as (address, server):
        found["static"] = asyncio.run(many(address, server, wish.static, wish.seconds))
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results/viewers.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(json.dumps(found, indent=1))


@contextmanager
def started(*command: object) -> Iterator[tuple[str, psutil.Process]]:
    """Run a server whose last but one argument is a port; give its address and its process."""
    port = free_port()
    words = [sys.executable, *(str(port) if word is None else str(word) for word in command)]
    process = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def dashboard(places: Places, *settings: str):
    return started("-c", SERVE, places.data, places.reports, None, *settings)


def files(folder: Path):
    return started(__file__, "--serve", folder, None)


def kernels(server: psutil.Process) -> list[psutil.Process]:
    alive = [child for child in server.children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "ipykernel_launcher" in child.cmdline()]


def wait_for_kernel(server: psutil.Process) -> None:
    """Wait until kernels have nothing to do: the one that is prepared is ready."""
    quiet = 0
    while quiet < 4:
        before = sum(sum(kernel.cpu_times()[:2]) for kernel in kernels(server))
        time.sleep(0.5)
        after = sum(sum(kernel.cpu_times()[:2]) for kernel in kernels(server))
        quiet = quiet + 1 if after - before < 0.02 and kernels(server) else 0


def one_viewer(
    browser, address: str, turns: int, prepare: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Return medians of what a viewer with an empty cache waits for."""
    seen = []
    for _ in range(turns):
        prepare()
        with tab(browser, address.partition("/site/")[0]) as opened:
            opened.page.add_init_script(WATCH)
            opened.page.goto(address)
            opened.page.wait_for_function("window.seen?.charts")
            loaded = opened.page.evaluate(LOADED)
            seen.append(loaded | {"filter": opened.page.evaluate(NARROW)})
    print(address, *seen, sep="\n", file=sys.stderr)
    return {name: median(turn[name] for turn in seen) for name in seen[0]}


def crowd(address: str, server: psutil.Process, number: int) -> dict[str, float]:
    """Let viewers come at once; return seconds, memory, and when their kernels are gone."""
    together, done = threading.Barrier(number), threading.Barrier(number + 1)
    spent: list[float] = []
    leave = threading.Event()

    def viewer() -> None:
        together.wait()
        begin = time.perf_counter()
        with viewing(address):
            spent.append(time.perf_counter() - begin)
            done.wait()
            leave.wait()

    threads = [threading.Thread(target=viewer) for _ in range(number)]
    for thread in threads:
        thread.start()
    done.wait(300)
    memory = [kernel.memory_full_info().pss / 1e6 for kernel in kernels(server)]
    spent_by = [sum(kernel.cpu_times()[:2]) for kernel in kernels(server)]
    leave.set()
    begin = time.perf_counter()
    while len(kernels(server)) > 1:  # the one that waits for the next viewer stays
        time.sleep(1)
    return {
        "viewers": number,
        "slowest": max(spent),
        "median": median(spent),
        "cpu": median(spent_by),
        "pss": median(memory),
        "largest": max(memory),
        "gone": time.perf_counter() - begin,
    }


@contextmanager
def viewing(address: str) -> Iterator[None]:
    """Load the page and what it names, and ask its kernel for the figures; leave like a crash."""
    with requests.Session() as session:
        page = session.get(address, timeout=300).text
        for path in re.findall(r'(?:href|src)="(/voila/[^"]+)"', page):
            session.get(address + path.lstrip("/"), timeout=300).raise_for_status()
        given = json.loads(re.search(r'<script id="exams-data"[^>]*>(.*?)</script>', page)[1])
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
        line = websocket.create_connection(
            f"{address.replace('http', 'ws')}api/kernels/{given['kernel']}/channels",
            timeout=300,
            cookie=cookies,
            origin=address.rstrip("/"),
            skip_utf8_validation=True,  # in Python, it costs more than the rest
        )
        header = {"msg_id": "1", "msg_type": "comm_msg", "version": "5.3", "session": "1"}
        content = {"comm_id": given["payload"]["comm"], "data": {"quarter": None, "have": None}}
        question = {"header": header, "content": content, "channel": "shell"}
        line.send(json.dumps(question | {"parent_header": {}, "metadata": {}, "buffers": []}))
        while json.loads(line.recv())["header"]["msg_type"] != "comm_msg":
            pass
        yield
        line.close()


async def serve_files(folder: Path, port: int) -> None:
    import tornado.web

    handler = (r"/(.*)", tornado.web.StaticFileHandler, {"path": str(folder)})
    tornado.web.Application([handler]).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


async def many(address: str, server: psutil.Process, number: int, stay: float) -> dict[str, float]:
    """Let viewers of the static site come at once and look for news every 10 s, as site.js does."""
    page = requests.get(f"{address}site/index.html", timeout=60).text
    first = ["index.html", *re.findall(r'(?:href|src)="([^":]+)"', page), "data/version.js"]
    version = requests.get(f"{address}site/data/version.js", timeout=60).text
    newest = max(json.loads(version[version.index("{") : version.rindex("}") + 1])["quarters"])
    first += ["data/common.js", f"data/{newest}.js"]
    loads: list[float] = []
    looks: list[float] = []
    read = 0
    end = time.perf_counter() + stay

    async def viewer(place: int) -> None:
        nonlocal read
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address[17:-1]))
        begin = time.perf_counter()
        for path in first:
            length = await answer(reader, writer, f"/site/{path}")
            read += length  # not in one line: others add to it meanwhile
        loads.append(time.perf_counter() - begin)
        await asyncio.sleep(10 * place / number)
        while time.perf_counter() < end:
            begin = time.perf_counter()
            length = await answer(reader, writer, f"/site/data/version.js?{begin}")
            read += length
            looks.append(time.perf_counter() - begin)
            await asyncio.sleep(max(0, 10 - looks[-1]))
        writer.close()

    before, begin = sum(server.cpu_times()[:2]), time.perf_counter()
    await asyncio.gather(*(viewer(place) for place in range(number)))
    seconds = time.perf_counter() - begin
    return {
        "viewers": number,
        "load": max(loads),
        "load_median": median(loads),
        "bytes": read,
        "requests": number * len(first) + len(looks),
        "looks": len(looks),
        "slowest": max(looks),
        "look": median(looks),
        "seconds": seconds,
        "cpu": sum(server.cpu_times()[:2]) - before,
        "memory": server.memory_full_info().pss / 1e6,
    }


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    """Ask for a file and read all of it; return its length."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("HTTP/1.1 200"), head
    length = int(re.search(r"(?i)content-length: (\d+)", head)[1])
    await reader.readexactly(length)
    return length


if __name__ == "__main__":
    main()
