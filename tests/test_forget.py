"""A delivery deleted on demand: its file, its records, its parts; the history tells that it was."""

import re

import pytest
from given import SMALL
from office import QUARTER, Office

from exams import forget as forgetting
from exams.errors import ExamsError
from exams.forget import forget
from exams.intake.judging.corrections import reference
from exams.intake.reading.header import CORRECTS
from exams.orchestrate.origin import sha256
from exams.overview import history_lines
from exams.places import Server
from exams.warehouse.forget import note_forgotten
from exams.warehouse.history import read_deliveries
from stores import holds

pytestmark = pytest.mark.usefixtures("store")

HEADER = "track,points,mark\n"
KEPT = HEADER + "north,7,2.0\nsouth,3,3.5\n"
CANARY = "quetzalcoatlus"  # a rejected value, that is nowhere else
GONE = HEADER + f"south,9,1.0\n{CANARY},1,1.0\n"


@pytest.fixture
def office(tmp_path, small, monkeypatch):
    """A quarter of two files, loaded; building it again loads what lies in its folder."""
    office = Office(tmp_path, small)
    office.deliver(kept=KEPT, gone=GONE)
    office.build()

    def build(quarter, root):
        office.build(quarter)
        return True

    monkeypatch.setattr(forgetting, "build_quarter", build)
    return office


def hash_of(office, name, quarter=QUARTER):
    return sha256(office.folder(quarter) / f"{name}.csv")


def traces(office):
    """Return the files of the data folder that hold the canary."""
    files = [f for f in office.places.data.rglob("*") if f.is_file()]
    found = {f.name for f in files if CANARY.encode() in f.read_bytes()}
    on_server = isinstance(office.warehouse, Server) and holds(office.warehouse, CANARY.encode())
    return found | ({"warehouse.db"} if on_server else set())


def test_the_file_its_records_and_its_parts_go_and_the_rest_stays(office):
    scratch = office.places.data / "scratch" / "private"
    scratch.mkdir(parents=True)
    (scratch / "warehouse.db").write_text(CANARY)
    exported = office.places.corrections(QUARTER)
    gone = hash_of(office, "gone")
    (exported / f"gone-{gone[:8]}.1.corrections.csv").write_text(CANARY)
    (exported / "kept-01234567.1.corrections.csv").write_text("others")
    assert traces(office) >= {"gone.csv", "warehouse.db"}
    lines, right = forget(office.places.data.parent, office.places, gone[:12])
    assert right and traces(office) == set()
    assert office.rows("SELECT file, count(*) FROM results GROUP BY file") == [("kept.csv", 2)]
    assert office.rows("SELECT count(*) FROM quarantine") == [(0,)]
    assert [f.name for f in exported.iterdir()] == ["kept-01234567.1.corrections.csv"]
    assert lines[0] == (
        f"{QUARTER} gone.csv: 2 records are forgotten (1 loaded, 1 quarantined, 0 resolved)."
    )
    assert "docs/governance.md" in lines[-1]


def test_the_history_keeps_hash_counts_who_and_when(office, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "registrar")
    gone = hash_of(office, "gone")
    forget(office.places.data.parent, office.places, gone)
    rows = {d.file: d for d in read_deliveries(office.warehouse)}
    assert (rows["gone.csv"].sha256, rows["gone.csv"].received) == (gone, 2)
    assert rows["gone.csv"].forgotten_by == "registrar"
    assert rows["gone.csv"].forgotten >= rows["gone.csv"].removed
    assert rows["kept.csv"].forgotten is None and rows["kept.csv"].removed is None
    (line,) = history_lines([rows["gone.csv"]])
    assert re.search(r", forgotten \d{4}-\d\d-\d\d \d\d:\d\d by registrar$", line)


def test_the_last_file_of_all_takes_its_quarter_along(office):
    (office.folder() / "kept.csv").unlink()
    office.build()
    _, right = forget(office.places.data.parent, office.places, hash_of(office, "gone"))
    assert right and traces(office) == set()
    assert office.rows("SELECT count(*) FROM loaded") == [(0,)]
    assert not (office.places.reports / QUARTER).exists()


def test_where_the_rest_cannot_be_loaded_the_records_go_all_the_same(office, monkeypatch):
    monkeypatch.setattr(forgetting, "build_quarter", lambda quarter, root: False)
    lines, right = forget(office.places.data.parent, office.places, hash_of(office, "gone"))
    assert not right and traces(office) == set()
    assert office.rows("SELECT count(*) FROM loaded") == [(0,)]
    assert any(line.startswith(f"{QUARTER} could not be built") for line in lines)


def test_one_that_was_interrupted_goes_on(office, monkeypatch):
    gone = hash_of(office, "gone")
    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "build_quarter", lambda *_: (_ for _ in ()).throw(OSError()))
        with pytest.raises(OSError):
            forget(office.places.data.parent, office.places, gone)
    assert traces(office) == {"warehouse.db"}
    forget(office.places.data.parent, office.places, gone)
    assert traces(office) == set()


def test_a_file_that_was_never_loaded_is_noted_too(office):
    office.deliver(late=HEADER + "north,1,1.0\n")
    late = hash_of(office, "late")
    lines, _ = forget(office.places.data.parent, office.places, late)
    assert lines[0] == f"{QUARTER} late.csv is forgotten; it was never loaded."
    (row,) = [d for d in read_deliveries(office.warehouse) if d.sha256 == late]
    assert (row.received, bool(row.forgotten)) == (0, True)
    assert not (office.folder() / "late.csv").exists()


def test_one_that_came_again_afterwards_is_a_new_delivery(office):
    gone = hash_of(office, "gone")
    forget(office.places.data.parent, office.places, gone)
    office.deliver(gone=GONE)
    office.build()
    rows = [d for d in read_deliveries(office.warehouse) if d.sha256 == gone]
    assert [(bool(d.forgotten), bool(d.removed)) for d in rows] == [(True, True), (False, False)]


def test_files_that_correct_it_are_named(office):
    held = office.rows("SELECT line FROM quarantine")[0][0]
    gone = hash_of(office, "gone")
    fixed = f"track,points,mark,{','.join(CORRECTS)}\nnorth,1,1.0,{reference(gone)},{held}\n"
    office.deliver(fixed=fixed)
    office.build()
    assert office.rows("SELECT resolved FROM delivery WHERE file = 'gone.csv'") == [(1,)]
    lines, _ = forget(office.places.data.parent, office.places, gone)
    assert "Records of it were delivered again in fixed.csv: forget that, too?" in lines


@pytest.mark.parametrize("prefix", ["", "abc", "ffffffff", "../../etc"])
def test_what_names_no_delivery_is_an_error_and_changes_nothing(office, prefix):
    before = office.dump()
    with pytest.raises(ExamsError, match="E335 No delivery has"):
        forget(office.places.data.parent, office.places, prefix)
    assert office.dump() == before
    assert {f.name for f in office.folder().iterdir()} == {"kept.csv", "gone.csv"}


def test_a_start_of_several_hashes_is_an_error(office):
    office.change("UPDATE delivery SET sha256 = 'abcdef012' || id")
    with pytest.raises(ExamsError, match=r"E336 2 deliveries have .* more digits: abcdef0121, abc"):
        forget(office.places.data.parent, office.places, "ABCDEF01")


def test_a_history_of_an_earlier_release_is_extended(office):
    names = ("forgotten", "forgotten_by")
    office.change(*(f"ALTER TABLE delivery DROP COLUMN {name}" for name in names))
    assert {d.forgotten for d in read_deliveries(office.warehouse)} == {None}
    note_forgotten(office.warehouse, "ab" * 32, [(QUARTER, "x.csv")], "registrar", "2026-01-01")
    assert [d.forgotten for d in read_deliveries(office.warehouse) if d.forgotten] == ["2026-01-01"]
    assert SMALL["title"] == office.rows("SELECT contract FROM loaded")[0][0]
