"""The one door: what is published, searched and linked, and what stays shut."""

import json
import sqlite3
from contextlib import closing

import pandas as pd
import pytest
from click.testing import CliRunner
from given import SMALL
from office import QUARTER, Office

from exams import published
from exams.cli import main
from exams.errors import ExamsError
from exams.stages import compare, model
from exams.stages import publish as door
from exams.stages.corrected import version
from exams.stages.revising import revisions
from exams.tables import FIGURES, MASKED
from exams.tables_models import CHANGE
from exams.versions import give_up, version_lines
from exams.warehouse.ledger import forget_values, read_ledger, record
from test_protect import dimension

pytestmark = pytest.mark.usefixtures("store")

FIELDS = [dimension("track", 3), SMALL["fields"][1]]


def rows(north, middle, south):
    sizes = zip(("t0", "t1", "t2"), (north, middle, south), strict=True)
    lines = [f"{track},{place % 11}" for track, size in sizes for place in range(size)]
    return "\n".join(["track,points", *lines, ""])


@pytest.fixture
def office(tmp_path, contract_of):
    return Office(tmp_path, contract_of({**SMALL, "fields": FIELDS}))


def figures(office, quarter=QUARTER):
    """Work out and store the figures of what was delivered, as the notebook of model does."""
    cube = model.read_cube(office.warehouse, office.contract, quarter)
    made = {name: getattr(model, name)(cube) for name in ("mean_by_group", "mean_by_crossing")}
    made |= {
        "at_risk_by_group": model.at_risk_by_group(cube),
        "levels": model.levels(model.level_by_group(cube)),
        "histogram": model.histogram(cube),
    }
    tiers = cube.combinations.assign(tier=1, score="points", share=1.0, mean=5.0)
    tiers = tiers.groupby(["tier", "score", "share", "mean"], as_index=False)["n"].sum()
    gaps = model.gaps(made["mean_by_group"])
    gaps["sentence"] = model.gap_sentences(gaps, office.contract)
    made |= {"gaps": gaps, "tiers": tiers, "level_by_group": model.level_by_group(cube)}
    made["modal_level"] = model.modal_level(made["level_by_group"])
    for table in FIGURES:  # nothing to compare with, and no model
        names = [c.name for c in table.columns if c.name not in ("quarter", "suppressed")]
        made.setdefault(table.name, pd.DataFrame(columns=names))
    return {name: frame.assign(quarter=quarter) for name, frame in made.items()}


def publish(office, *sizes, unsafe=None):
    """Deliver, load and publish a quarter; `unsafe`: its tables, as they are."""
    office.deliver(all=rows(*sizes))
    office.build()
    former = door.former_versions(office.places, office.contract, QUARTER)
    tables = unsafe or door.protect(figures(office), office.contract, former)
    if not unsafe:
        tables, _ = door.secure(tables, office.contract, former)
        tables["change"] = door.beside_former(tables["change"], office.places.published)
    database, breaks = office.places.published, pd.DataFrame({"score": []})
    tables = tables | door.to_date(tables, breaks, database, QUARTER)
    revised = {"revision": revisions(tables, office.places, QUARTER)}
    return door.publish({**tables, **revised}, office.places, office.contract, QUARTER)


def sizes_shown(office):
    means = published.read(office.places.published, "mean_by_group", QUARTER)
    return [row["n"] for row in means]


def test_a_revision_keeps_the_pattern_and_is_remembered(office):
    publish(office, 9, 30, 20)
    assert sizes_shown(office) == [59, None, 30, None]
    publish(office, 9, 50, 40)
    assert sizes_shown(office) == [99, None, 50, None]
    assert len(read_ledger(office.places.ledger, QUARTER)) == 2
    assert published.read(office.places.published, "publication", QUARTER)[0]["version"] == 2


def test_a_correction_of_a_few_records_waits_until_more_have_changed(office):
    publish(office, 20, 30, 40)
    publish(office, 24, 30, 40)
    assert sizes_shown(office) == [90, 20, 30, 40]
    assert compare.waiting(office.places, office.contract, QUARTER)  # nor does the report of model
    assert len(read_ledger(office.places.ledger, QUARTER)) == 1
    (publication,) = published.read(office.places.published, "publication", QUARTER)
    assert (publication["version"], publication["held"]) == (2, 1)
    assert "A correction of a few records waits" in version(office.places, QUARTER).rest
    publish(office, 29, 30, 40)
    assert sizes_shown(office) == [90, 20, 30, 40]
    publish(office, 30, 30, 40)  # ten more than were published
    assert not compare.waiting(office.places, office.contract, QUARTER)
    assert sizes_shown(office) == [100, 30, 30, 40]
    assert published.read(office.places.published, "publication", QUARTER)[0]["held"] == 0
    assert "waits" not in version(office.places, QUARTER).rest


def test_forgotten_counts_leave_the_number_of_students_to_tell_what_has_changed(office):
    publish(office, 20, 30, 40)
    ledger = office.places.ledger
    with closing(sqlite3.connect(ledger)) as connection:
        packed = connection.execute('SELECT "values" FROM version').fetchone()[0]
    assert packed in ledger.read_bytes()
    forget_values(ledger, [QUARTER])
    assert packed not in ledger.read_bytes()
    publish(office, 20, 30, 45)
    assert sizes_shown(office) == [90, 20, 30, 40]
    publish(office, 20, 30, 50)
    assert sizes_shown(office) == [100, 20, 30, 50]


def test_an_unsafe_table_is_refused_and_the_former_publication_stays(office):
    publish(office, 9, 30, 20)
    before = office.places.published.read_bytes()
    careless = {name: frame.assign(suppressed=0) for name, frame in figures(office).items()}
    risk = careless["at_risk_by_group"]
    risk.loc[1, "suppressed"] = 1
    for column in ("n", "at_risk", "share", "ci_low", "ci_high"):
        risk[column] = risk[column].astype("Float64").mask(risk["suppressed"] == 1)
    with pytest.raises(ExamsError, match=r"E324 .*at_risk_by_group.*The former publication stays"):
        publish(office, 12, 30, 20, unsafe=careless)
    assert office.places.published.read_bytes() == before
    assert len(read_ledger(office.places.ledger, QUARTER)) == 1


def test_a_table_without_a_mask_is_refused(office):
    office.deliver(all=rows(20, 30, 20))
    office.build()
    with pytest.raises(ExamsError, match="E302 Table mean_by_group did not pass"):
        door.publish(figures(office), office.places, office.contract, QUARTER)


def test_the_catalogue_describes_every_table_and_can_be_searched(office):
    publish(office, 9, 30, 20)
    with closing(sqlite3.connect(office.places.published)) as connection:
        connection.row_factory = sqlite3.Row
        entries = {r["name"]: dict(r) for r in connection.execute("SELECT * FROM catalog")}
        found = connection.execute(
            "SELECT c.name FROM catalog c JOIN catalog_fts f ON f.rowid = c.rowid"
            " WHERE catalog_fts MATCH 'spread' ORDER BY c.name"
        ).fetchall()
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        keys = connection.execute("PRAGMA foreign_key_list(levels)").fetchall()
    means = entries["mean_by_group"]
    assert (means["rows"], means["hidden"]) == (4, 2)
    assert json.loads(means["dimensions"]) == ["quarter", "dimension", "level", "score"]
    assert json.loads(means["measures"]) == ["n", "mean", "sd", "ci_low", "ci_high"]
    assert json.loads(entries["gaps"]["sources"]) == ["mean_by_group"]
    assert means["first_quarter"] == means["last_quarter"] == QUARTER
    assert {t.name for t in MASKED} < set(entries)
    assert [r["name"] for r in found] == ["mean_by_crossing", "mean_by_group", "mean_to_date"]
    assert [(k["from"], k["table"], k["to"]) for k in keys] == [
        ("quarter", "publication", "quarter")
    ]


def test_a_publication_of_a_former_release_gets_the_catalogue(office):
    publish(office, 20, 30, 20)
    with closing(sqlite3.connect(office.places.published)) as connection, connection:
        for name in ("catalog", "catalog_fts"):
            connection.execute(f"DROP TABLE {name}")
    publish(office, 20, 40, 20)
    with closing(sqlite3.connect(office.places.published)) as connection:
        assert connection.execute("SELECT count(*) FROM catalog").fetchone()[0] > 5


def test_what_hides_most_is_said_before_it_is_published():
    table = pd.DataFrame({"suppressed": [1, 1, 0]})
    cells = door.hidden_cells({"levels": table, "gaps": table.iloc[:0]})
    assert cells.to_dict("records") == [
        {"table": "levels", "rows": 3, "hidden": 2, "percent": 67.0},
        {"table": "gaps", "rows": 0, "hidden": 0, "percent": 0.0},
    ]


def tell_a_count(office):
    """Publish a quarter, and note a version of it that hides one group and no other."""
    publish(office, 40, 30, 20)
    careless = figures(office)["mean_by_group"].assign(suppressed=0)
    careless.loc[1, "suppressed"] = 1
    careless["n"] = careless["n"].astype("Int64").mask(careless["suppressed"] == 1)
    values = model.read_cube(office.warehouse, office.contract, QUARTER).values
    record(office.places.ledger, QUARTER, {"mean_by_group": careless}, values)


def test_a_version_that_told_a_count_stops_the_next_one(office):
    tell_a_count(office)
    with pytest.raises(ExamsError, match=r"E324 .*comparing versions.*: .*mean_by_group"):
        publish(office, 40, 30, 20)


def test_a_change_beside_a_mean_that_is_not_published_is_refused(office):
    office.deliver(all=rows(30, 30, 30))
    office.build()
    tables = door.protect(figures(office), office.contract)
    key = {"quarter": QUARTER, "dimension": "all", "level": "all", "score": "points"}
    shown = {c.name: 1.0 for c in CHANGE.columns} | key | {"former": "2023Q4", "suppressed": 0}
    tables["change"] = pd.DataFrame([shown])
    with pytest.raises(ExamsError, match="E313"):
        publish(office, 30, 30, 30, unsafe=tables)


def test_a_lost_ledger_takes_in_what_is_published(office):
    """Else the next version would be protected as if it were the first."""
    publish(office, 9, 30, 20)
    office.places.ledger.unlink()
    publish(office, 9, 19, 50)
    assert sizes_shown(office) == [78, None, 19, None]  # alone, it would hide the 19
    assert [values is None for _, values in read_ledger(office.places.ledger, QUARTER)] == [
        True,
        False,
    ]
    publish(office, 9, 19, 50)
    assert len(read_ledger(office.places.ledger, QUARTER)) == 2


def test_without_a_ledger_and_a_publication_a_quarter_is_new(office):
    publish(office, 9, 30, 20)
    office.places.ledger.unlink()
    office.places.published.unlink()
    publish(office, 9, 19, 50)
    assert sizes_shown(office) == [78, None, None, 50]


@pytest.fixture
def stuck(office):
    """A quarter that cannot be published: a former version has told a count."""
    tell_a_count(office)
    with pytest.raises(ExamsError, match="E324"):
        publish(office, 40, 30, 20)
    return office


def test_a_version_that_is_given_up_is_no_longer_compared_with(stuck):
    said = give_up(stuck.places, QUARTER, 2, "recalled within the hour")
    assert f"exams build --quarter {QUARTER}" in said[1]
    publish(stuck, 40, 30, 20)
    lines = version_lines(stuck.places, QUARTER)
    assert len(lines) == 4  # it stays in the ledger, and what is published again is the third
    assert "given up" in lines[2] and lines[2].endswith("recalled within the hour")
    assert len(read_ledger(stuck.places.ledger, QUARTER)) == 2


def test_a_published_version_that_is_given_up_does_not_come_back_by_itself(office):
    publish(office, 40, 30, 20)
    give_up(office.places, QUARTER, 1, "nobody has it")
    assert door.former_versions(office.places, office.contract, QUARTER) == []
    publish(office, 40, 30, 20)
    assert len(read_ledger(office.places.ledger, QUARTER)) == 1  # published once more, it counts


def test_giving_up_needs_a_version_that_counts_and_a_reason(office):
    publish(office, 40, 30, 20)
    with pytest.raises(ExamsError, match=r"E326 There is no version 7 .*"):
        give_up(office.places, QUARTER, 7, "typo")
    with pytest.raises(ExamsError, match="E327"):
        give_up(office.places, QUARTER, 1, " ")
    give_up(office.places, QUARTER, 1, "nobody has it")
    with pytest.raises(ExamsError, match="E326"):
        give_up(office.places, QUARTER, 1, "twice")


def test_the_command_lists_versions_and_gives_one_up(office, tmp_path, monkeypatch):
    publish(office, 40, 30, 20)
    (tmp_path / "pipeline.yaml").touch()
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert run(main, ["versions", QUARTER]).output.splitlines()[0].split() == [
        "version", "published", "rows", "hidden",
    ]  # fmt: skip
    assert run(main, ["versions", "2030Q1"]).output == "No version of 2030Q1 was published.\n"
    assert run(main, ["versions", QUARTER, "--give-up", "1"]).exit_code == 1
    done = run(main, ["versions", QUARTER, "--give-up", "1", "--because", "nobody has it"])
    assert done.exit_code == 0 and "Version 1 of" in done.output
    assert "given up" in run(main, ["versions", QUARTER]).output
