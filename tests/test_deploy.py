"""The dashboard behind a reverse proxy that asks for a login, below a path: docs/deploy.md."""

from urllib.parse import urlsplit

import pytest

import example
from browser import tab
from exams.published import publish
from exams.static_site import write_site
from nginx import PASSWORD, USER, documented
from proxy import SESSION, proxied
from serving import get, served

pytestmark = [pytest.mark.slow, pytest.mark.browser]
NAME, PATH = "results.localhost", "/exams/"  # browsers know that it is this machine


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return example.make(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def server(places):
    with served(places, base_url=PATH, names=[NAME]) as address:
        yield address


def test_below_a_path_everything_comes_through_the_proxy_and_the_page_is_live(
    server, browser, places
):
    with proxied(urlsplit(server).port) as port:
        address = f"http://{NAME}:{port}{PATH}"
        with tab(browser, address) as opened:
            page = opened.page
            assert page.goto(address).status == 401
            name, value = SESSION.split("=")
            page.context.add_cookies([{"name": name, "value": value, "url": address}])
            page.goto(f"{address}?page=home&quarter=2026Q2")
            page.wait_for_selector('main[data-drawn="2026Q2 home"]')
            tables = example.tables_of("2026Q2", example.students("2026Q2", 800))
            publish(places.published, "2026Q2", tables, ("State exams", "1.0"))
            students = page.locator(".tile").filter(has_text="Students").first
            students.get_by_text("800").wait_for(timeout=60_000)
            assert opened.outside == []  # nothing beside the path either
            assert [error for error in opened.errors if "401" not in error] == []


LOGIN = {"http_credentials": {"username": USER, "password": PASSWORD}, "ignore_https_errors": True}


def test_nginx_as_documented_asks_for_a_login_and_the_page_behind_it_is_live(
    server, browser, places, tmp_path
):
    with documented(tmp_path, NAME, urlsplit(server).port, places.reports) as port:
        address = f"https://{NAME}:{port}{PATH}"
        with tab(browser, address, ignore_https_errors=True) as opened:
            stranger = opened.page.request.get(f"https://127.0.0.1:{port}{PATH}")
            assert stranger.status == 401
        with tab(browser, address, **LOGIN) as opened:
            answer = opened.page.goto(f"{address}?page=home&quarter=2026Q1")
            assert answer.headers["content-encoding"] == "gzip"
            opened.page.wait_for_selector('main[data-drawn="2026Q1 home"]')
            tables = example.tables_of("2026Q1", example.students("2026Q1", 700))
            publish(places.published, "2026Q1", tables, ("State exams", "1.0"))
            students = opened.page.locator(".tile").filter(has_text="Students").first
            students.get_by_text("700").wait_for(timeout=60_000)
            assert (opened.outside, opened.errors) == ([], [])


def test_nginx_as_documented_gives_the_static_site_and_no_more_of_the_reports(
    server, browser, places, tmp_path
):
    write_site(places)
    (places.reports / "2026Q3" / "extract.html").write_text("The names of files")
    with documented(tmp_path, NAME, urlsplit(server).port, places.reports) as port:
        address = f"https://{NAME}:{port}/results/"
        with tab(browser, address, **LOGIN) as opened:
            opened.page.goto(f"{address}site/index.html")
            opened.page.wait_for_selector('main[data-drawn="2026Q3 home"]')
            for path in ("2026Q3/extract.html", "index.html", "site/../data/", "2026Q3/charts/"):
                answer = opened.page.request.get(f"https://127.0.0.1:{port}/results/{path}")
                assert answer.status == 404, path


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        (PATH, NAME, 200),
        (PATH, "attacker.example", 403),
        (f"{PATH}voila/templates/exams/static/vega.js", NAME, 200),
        (f"{PATH}voila/templates/exams/static/vega.js", "attacker.example", 403),
        ("/", NAME, 404),
    ],
)
def test_only_the_name_that_the_proxy_passes_on_is_answered(server, path, host, status):
    origin = f"http://127.0.0.1:{urlsplit(server).port}/"
    assert get(origin, path, Host=host).status == status
