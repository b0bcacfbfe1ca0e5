"""A quarter without a file any more: all that shows it goes, its history stays."""

import json

import pytest

from exams import datapackage, published, site, static_site, status
from exams.errors import ExamsError
from exams.orchestrate import withdraw as withdrawing
from exams.orchestrate.withdraw import vanished, withdraw
from exams.places import STAGES, Places, mark_of
from exams.published import publish
from exams.quarters import Timing
from exams.samples import write_samples
from exams.schema import quoted
from exams.status import WITHDRAWN, stage_status
from exams.warehouse.results import clear_result, result_of, show_results
from exams.warehouse.store import reading
from exams.warehouse.transaction import writing
from exams.warehouse.withdraw import withdraw_quarter
from stores import remove

pytestmark = pytest.mark.usefixtures("store")

GONE, KEPT = "2019Q1", "2019Q2"
NOTHING = {table.name: [] for table in published.CONTENT}
HELD = {  # a row of each table, by quarter and number of the delivery
    "loaded": "(quarter, content, office) VALUES ('{q}', 'content of {q}', '{office}')",
    "quarantine": '(quarter, delivery, line, "column", reason)'
    " VALUES ('{q}', {id}, 2, '*', 'R1')",
    "repair": "(delivery, field, repair) VALUES ({id}, 'points', 'trimmed')",
    "cube": "(quarter, profile, n) VALUES ('{q}', 1, 1)",
    "levels": "(quarter, score, code, n) VALUES ('{q}', 'points', 1, 1)",
}
RECORD = "(key, profile) VALUES (CAST({id} AS BIGINT) << 32 | 3, 1)"
SHOWN = (*HELD, "results")
DELIVERY = (
    "(id, quarter, file, received, loaded, office) VALUES ({id}, '{q}', 'a.csv', 2, 1, '{office}')"
)


@pytest.fixture
def places(tmp_path, small):
    """Two quarters, loaded, published and reported; the first has lost its file since."""
    places = Places.of(tmp_path / "data", tmp_path / "reports")
    with writing(places.warehouse, small) as connection:
        office = mark_of(places.private)
        connection.execute("INSERT INTO profile (id) VALUES (1)")
        for number, quarter in enumerate((GONE, KEPT), 1):
            clear_result(connection, small, quarter)
            records = {result_of(quarter): RECORD}
            for table, row in {"delivery": DELIVERY, **HELD, **records}.items():
                connection.execute(
                    f"INSERT INTO {quoted(table)} {row.format(q=quarter, id=number, office=office)}"
                )
            show_results(connection, small, quarter)
    for quarter in (GONE, KEPT):
        publish(places.published, quarter, NOTHING, ("Small exam", "1"))
        (places.report(quarter) / "load.receipt.json").write_text("{}")
        (places.charts(quarter) / "means.vl.json").write_text("{}")
        (places.interim(quarter, "extract") / "part").write_text("records")
        places.delivery(quarter).mkdir(parents=True)
    status.start(places.status, GONE, "extract")
    status.end(places.status, GONE, "extract", "failed", reason_code="E101", reason="It was bad.")
    (places.delivery(KEPT) / "a.csv").write_text("a")
    site.write_index(places)
    static_site.write_site(places)
    datapackage.write_package(places)
    return places


def held(places, table):
    with reading(places.warehouse) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def traces(places):
    """Return what is still to be seen of the quarter that is gone."""
    with reading(places.warehouse) as connection:
        view = connection.execute("SELECT quarter FROM results").fetchall()
    rows = [table for table in SHOWN if len(held(places, table)) > 1]
    folders = [places.data / "private" / "interim", places.reports]
    return [
        *rows,
        *[quarter for (quarter,) in view if quarter == GONE],
        *[q for q in published.published_quarters(places.published) if q == GONE],
        *[folder.name for folder in folders if (folder / GONE).exists()],
        *[f.name for f in (places.index, _csv(places)) if GONE in f.read_text()],
        *[f.name for f in _data(places).glob(f"{GONE}*")],
        *[q for q in _shown(places) if q == GONE],
    ]


def _csv(places):
    return places.package / "publication.csv"


def _data(places):
    return places.site / "data"


def _shown(places):
    """Return the quarters that the static site offers."""
    text = (_data(places) / "version.js").read_text()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])["quarters"]


def test_all_that_shows_a_quarter_goes_and_another_quarter_stays(places):
    before = {table: held(places, table)[1] for table in SHOWN}
    assert vanished(places) == [GONE]
    assert set(traces(places)) == {
        *SHOWN,
        GONE,
        "interim",
        "reports",
        "index.html",
        "publication.csv",
        f"{GONE}.js",
    }
    assert withdraw(places, GONE, Timing())
    assert traces(places) == []
    assert {table: held(places, table) for table in SHOWN} == {t: [r] for t, r in before.items()}
    assert published.published_quarters(places.published) == [KEPT]
    assert (places.charts(KEPT) / "means.vl.json").exists()
    assert KEPT in places.index.read_text()
    assert vanished(places) == []
    assert not withdraw(places, GONE, Timing())
    assert not withdraw(places, KEPT, Timing())


def test_the_deliveries_stay_in_the_history_as_removed(places):
    withdraw(places, GONE, Timing())
    query = "SELECT file, received, loaded, removed IS NULL FROM delivery ORDER BY id"
    with reading(places.warehouse) as connection:
        found = connection.execute(query).fetchall()
    assert found == [("a.csv", 2, 1, 0), ("a.csv", 2, 1, 1)]


def test_the_status_says_so_in_place_of_what_happened_before(places):
    withdraw(places, GONE, Timing())
    runs = [r for r in stage_status(places.status) if r["quarter"] == GONE]
    assert [(r["stage"], r["state"], r["reason_code"]) for r in runs] == [
        (stage, "done", None) for stage in STAGES
    ]
    assert {(r["rows_out"], r["reason"]) for r in runs} == {(0, WITHDRAWN)}


@pytest.mark.parametrize(
    "step",
    [
        (withdrawing, "withdraw_quarter"),
        (published, "withdraw"),
        (site, "write_index"),
        (datapackage, "write_package"),
        (static_site, "write_site"),
        (withdrawing.shutil, "rmtree"),
        (status, "start"),
        (status, "end"),
    ],
    ids=lambda step: step[1],
)
@pytest.mark.parametrize("after", [False, True])
def test_a_build_that_dies_on_the_way_is_finished_by_the_next(places, monkeypatch, step, after):
    work = getattr(*step)

    def die(*arguments, **more):
        if after:
            work(*arguments, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*step, die)
        with pytest.raises(KeyboardInterrupt):
            withdraw(places, GONE, Timing())
    assert vanished(places) == [GONE]
    assert withdraw(places, GONE, Timing())
    assert traces(places) == []
    assert {r["reason"] for r in stage_status(places.status)} == {WITHDRAWN}


def test_reports_that_are_half_removed_are_finished_by_the_next_build(places, monkeypatch):
    work = withdrawing.shutil.rmtree

    def die(folder, **how):
        if folder != places.reports / GONE:
            return work(folder, **how)
        (folder / "load.receipt.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(withdrawing.shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            withdraw(places, GONE, Timing())
    assert traces(places) == ["reports"]
    assert withdraw(places, GONE, Timing())
    assert traces(places) == []


def test_the_warehouse_lets_go_of_all_or_nothing(places, monkeypatch):
    before = {table: held(places, table) for table in (*SHOWN, "delivery")}
    monkeypatch.setattr("exams.warehouse.withdraw.drop_result", lambda *_: 1 / 0)  # last of all
    with pytest.raises(ZeroDivisionError):
        withdraw_quarter(places.warehouse, GONE)
    assert {table: held(places, table) for table in before} == before


@pytest.mark.parametrize("way", ["empty", "hidden file", "no folder", "a file", "no deliveries"])
def test_while_no_quarter_has_a_file_nothing_is_withdrawn(places, way):
    file = places.delivery(KEPT) / "a.csv"
    file.rename(file.with_name(".a.csv") if way == "hidden file" else places.data / "a.csv")
    if way in ("no folder", "a file"):
        places.delivery(KEPT).rmdir()
    if way == "a file":
        places.delivery(KEPT).write_text("a")
    if way == "no deliveries":
        places.deliveries.rename(places.data / "elsewhere")
    before = traces(places)
    for look in (vanished, lambda places: withdraw(places, GONE, Timing())):
        with pytest.raises(ExamsError, match=r"E405 .* up to 2019Q2 are loaded\."):
            look(places)
    assert traces(places) == before


@pytest.mark.parametrize("sign", ["warehouse", "publication", "receipt"])
def test_one_sign_that_results_were_loaded_is_enough_for_that(places, sign):
    (places.delivery(KEPT) / "a.csv").unlink()
    receipts = [places.report(quarter) / "load.receipt.json" for quarter in (GONE, KEPT)]
    signs = {
        "publication": [places.published],
        "receipt": receipts,
    }
    if sign != "warehouse":
        remove(places.warehouse)
    for path in [path for kind, paths in signs.items() for path in paths if kind != sign]:
        path.unlink()
    with pytest.raises(ExamsError, match="E405"):
        vanished(places)


def test_no_samples_are_made_where_results_are_loaded(places):
    (places.delivery(KEPT) / "a.csv").unlink()
    assert write_samples(places, None) == []


def test_a_quarter_of_which_only_a_failed_build_is_left_is_cleared_away(places):
    (places.reports / "2031Q1").mkdir()
    places.interim("2031Q2", "extract")
    assert vanished(places) == [GONE, "2031Q1", "2031Q2"]


def test_a_folder_that_leads_nowhere_or_cannot_be_read_may_hold_files(places, monkeypatch):
    folder = places.delivery(GONE)
    folder.rmdir()
    folder.symlink_to(places.data / "disk")
    assert vanished(places) == []
    (places.data / "disk").mkdir()
    assert vanished(places) == [GONE]
    monkeypatch.setattr("exams.places.visible", _unreadable)
    assert places.delivered_quarters() == [GONE, KEPT]


def _unreadable(folder):
    raise PermissionError(13, "Permission denied")


def test_deliveries_that_cannot_be_read_are_an_error(places):
    places.deliveries.rename(places.data / "elsewhere")
    places.deliveries.write_text("no folder")
    with pytest.raises(ExamsError, match="E406 deliveries cannot be read: Not a directory"):
        vanished(places)


def test_without_a_publication_the_list_goes(places):
    places.published.unlink()
    withdraw(places, GONE, Timing())
    assert not places.index.exists() and not places.package_zip.exists()
    assert not places.site.exists()
