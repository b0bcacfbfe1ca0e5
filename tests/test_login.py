"""The page that asks for the token: it needs nothing that is not given without it."""

import http.client
import re
from urllib.parse import urlencode

import pytest

import example
from axe import violations
from browser import OVERFLOW, tab
from serving import get, served

pytestmark = [pytest.mark.slow, pytest.mark.browser]
TOKEN = "let-me-in"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with served(example.make(tmp_path_factory.mktemp("login")), token=TOKEN) as address:
        yield address


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (390, "dark")])
def test_token_is_asked_for_and_leads_to_the_page_that_was_wanted(guarded, browser, width, scheme):
    with tab(browser, guarded, width, color_scheme=scheme) as opened:
        page = opened.page
        page.goto(f"{guarded}?page=status")
        field = page.get_by_label("Token")
        assert field.evaluate("e => e === document.activeElement")
        assert (opened.outside, opened.errors) == ([], [])  # no style or picture was refused
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        assert violations(page) == []
        assert page.evaluate(OVERFLOW) <= 0
        field.fill(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("main[data-drawn]")
        assert page.url == f"{guarded}?page=status"


def test_nobody_is_told_more_than_that_a_token_is_needed(guarded):
    text = get(guarded, "/login").read().decode()
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert not re.search(r"\d{4}Q[1-4]|jupyter|password_", text, re.IGNORECASE)


def test_nobody_sets_a_password_with_the_token(guarded, tmp_path):
    form = get(guarded, "/login")
    cookie = form.getheader("Set-Cookie").partition(";")[0]
    key = re.search(r'name="_xsrf" value="([^"]+)"', form.read().decode())[1]
    body = urlencode({"_xsrf": key, "password": TOKEN, "new_password": "mine"})
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection = http.client.HTTPConnection(guarded.removeprefix("http://").rstrip("/"), timeout=30)
    connection.request("POST", "/login", body, headers)
    assert connection.getresponse().status == 302  # let in, by the token
    connection.close()
    connection.request("POST", "/login", urlencode({"_xsrf": key, "password": "mine"}), headers)
    assert connection.getresponse().status == 401
