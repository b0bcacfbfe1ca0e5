"""What a reader saves of a chart, in dashboard and report alike, with the network off."""

import struct
from xml.etree import ElementTree

import nbconvert
import pytest

import example
import executed
from browser import tab
from exams.report import ReportExporter
from exams.static_site import write_site

pytestmark = pytest.mark.browser

ROWS = [
    {"group": "", "n": None, "mean": None, "suppressed": None},  # a heading
    {"group": "=1+1", "n": 1234, "mean": 61.0625, "suppressed": 0},
    {"group": 'north, "old"', "n": None, "mean": None, "suppressed": 1},
    {"group": "south", "n": 12, "mean": -0.5, "suppressed": 0},
]
SAVED = (
    "\ufeffGroup,Students,mean\r\n"
    "'=1+1,1234,61.0625\r\n"
    '"north, ""old""",hidden,hidden\r\n'
    "south,12,-0.5\r\n"
)


def tip(field, kind, **more):
    return {"field": field, "type": kind, **more}


def chart(rows=ROWS, tooltip=True):
    """Return a chart of groups, two lines of title, whose marks tell their figures."""
    tips = [
        tip("group", "nominal", title="Group"),
        tip("n", "quantitative", title="Students", format=",.0f"),
        tip("mean", "quantitative", format=".1f"),
    ]
    spec = example.chart("groups", "home", 0, {"step": 20})
    spec["title"] = {"text": ["North is", "ahead"], "subtitle": ["Means of 1,246 students"]}
    spec["usermeta"]["name"] = "groups"
    spec |= {"data": {"name": "given"}, "datasets": {"given": rows}}
    y, x = tip("group", "nominal"), tip("mean", "quantitative")
    spec["encoding"] = {"y": y, "x": x, **({"tooltip": tips} if tooltip else {})}
    return spec


def report(folder, *charts):
    page = folder / "visualize.html"
    page.write_text(nbconvert.export(ReportExporter(), executed.notebook(list(charts)))[0])
    return page.as_uri()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    places = example.make(tmp_path_factory.mktemp("site"))
    write_site(places)
    return (places.site / "index.html").as_uri()


def save(page, kind, title):
    """Save a chart; return the name of the file, and its bytes."""
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save as {kind}: {title}").click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def texts(svg):
    found = ElementTree.fromstring(svg)
    assert found.tag == "{http://www.w3.org/2000/svg}svg"
    return [(e.text or "").strip() for e in found.iter("{http://www.w3.org/2000/svg}text")]


def test_figures_are_saved_in_full_hidden_ones_marked_and_formulas_as_text(tmp_path, browser):
    address = report(tmp_path, chart())
    with tab(browser, address, offline=True) as opened:
        opened.page.goto(address)
        name, content = save(opened.page, "CSV", "North is ahead")
        assert name == "groups.csv"
        assert content.decode() == SAVED
        assert (opened.outside, opened.errors) == ([], [])


def test_chart_without_tooltips_saves_its_data_and_one_without_data_nothing(tmp_path, browser):
    bare, empty = chart(ROWS[1:2], tooltip=False), chart([])
    empty["title"] = "Nothing"
    address = report(tmp_path, bare, empty)
    with tab(browser, address, offline=True) as opened:
        opened.page.goto(address)
        opened.page.wait_for_selector('body[data-drawn="2"]')
        _, content = save(opened.page, "CSV", "North is ahead")
        assert content.decode() == "\ufeffgroup,mean,n,suppressed\r\n'=1+1,61.0625,1234,0\r\n"
        assert opened.page.get_by_role("group", name="Save: Nothing").count() == 0
        assert opened.page.get_by_text("No figure can be shown here").is_visible()


def test_pictures_carry_title_and_source_on_white_whatever_the_theme(site, browser):
    own = site.removesuffix("index.html")
    with tab(browser, own, color_scheme="dark", offline=True) as opened:
        opened.page.goto(f"{site}?quarter=2026Q2")
        opened.page.wait_for_selector('main[data-drawn="2026Q2 home"]')
        name, svg = save(opened.page, "SVG", "What groups shows")
        assert name == "groups-2026Q2.svg"
        words = texts(svg)
        assert words[:2] == ["What groups shows", "All students"]
        assert words[-1].startswith("Source: State exams, 2026Q2, version 1, provisional, ")
        assert "Algebra" in words
        name, png = save(opened.page, "PNG", "What groups shows")
        assert name == "groups-2026Q2.png"
        size = ElementTree.fromstring(svg).attrib
        assert struct.unpack(">II", png[16:24]) == (2 * int(size["width"]), 2 * int(size["height"]))
        assert corner(opened.page, png) == [255, 255, 255, 255]
        assert (opened.outside, opened.errors) == ([], [])


def corner(page, png):
    """Return red, green, blue and opacity of a picture's first pixel."""
    return page.evaluate(
        """async (bytes) => {
            const image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const pen = new OffscreenCanvas(1, 1).getContext("2d");
            pen.drawImage(image, 0, 0);
            return [...pen.getImageData(0, 0, 1, 1).data];
        }""",
        list(png),
    )


def test_picture_of_a_report_names_quarter_and_version(tmp_path, browser, monkeypatch):
    publication = {"quarter": "2026Q3", "version": 2, "edition": "revised", "contract": "It's"}
    publication |= {"published_at": "2026-10-04T09:00:00+00:00", "contract_version": "1"}
    found = {"publication": publication, "deliveries": [], "stages": []}
    monkeypatch.setattr("exams.report.read_note", lambda _: found)
    address = report(tmp_path, chart())
    with tab(browser, address, offline=True) as opened:
        opened.page.goto(address)
        name, svg = save(opened.page, "SVG", "North is ahead")
        assert name == "groups-2026Q3.svg"
        assert texts(svg)[-1].startswith(
            "Source: It's, 2026Q3, version 2, revised, published 4 Oct"
        )


def test_controls_are_reached_by_keyboard_and_are_not_printed(tmp_path, browser):
    address = report(tmp_path, chart())
    with tab(browser, address, offline=True) as opened:
        opened.page.goto(address)
        opened.page.wait_for_selector('body[data-drawn="1"]')
        opened.page.get_by_label("Show the code").focus()
        opened.page.keyboard.press("Tab")
        opened.page.keyboard.press("Tab")
        focused = opened.page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert focused == "Save as PNG: North is ahead"
        with opened.page.expect_download() as download:
            opened.page.keyboard.press("Enter")
        assert download.value.suggested_filename == "groups.png"
        controls = opened.page.get_by_role("group", name="Save: North is ahead")
        assert controls.is_visible()
        opened.page.emulate_media(media="print")
        assert not controls.is_visible()
