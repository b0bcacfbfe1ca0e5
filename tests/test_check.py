"""`exams check`: what intake would do with a file, told beforehand, and nothing left behind."""

import json
import os
import shutil
from itertools import pairwise

import pytest
import yaml
from click.testing import CliRunner
from given import SMALL, identified
from office import QUARTER, Office, counts

from corpus import CONTRACT, CORPUS, LIMIT, NAMES, NO_FILES, QUARANTINED, RIGHT, TEXT
from exams.cli import main
from exams.intake.judging.corrections import reference

SCREEN = 40  # lines
HEADER = "track,points,mark\n"


def put(root, contract):
    """Write a contract, and a project around it."""
    (root / "data").mkdir(exist_ok=True)
    (root / "data/contract.yaml").write_text(yaml.safe_dump(contract))
    (root / "pipeline.yaml").touch()
    (root / "env.yaml").write_text(f"largest_file: {LIMIT}\n")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Return the folder of a project, with a folder `in` for what has arrived."""
    put(tmp_path, CONTRACT)
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    monkeypatch.delenv("EXAMS_PSEUDONYM_KEY", raising=False)
    return tmp_path


def told(*arguments):
    """Run the command; return its exit code and what it says."""
    result = CliRunner().invoke(main, ["check", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def found(*arguments):
    """Run the command with --json; return its exit code and what it has found."""
    result = CliRunner().invoke(main, ["check", "--json", *arguments])
    assert result.exit_code in (0, 1, 2), result.exception
    return result.exit_code, json.loads(result.stdout)


def state(folder):
    """Return all that lies in a folder, and when it was written."""
    paths = sorted(folder.rglob("*"))
    return [(path, path.lstat().st_mtime_ns, path.lstat().st_size) for path in paths]


def lines(file):
    return sorted({line for row in file["quarantine"] for line in row["lines"]})


@pytest.mark.parametrize("case", CORPUS.values(), ids=CORPUS)
def test_every_kind_of_file_is_told_as_intake_would_take_it(root, case):
    case.write(root / "in")
    before = state(root)
    code, check = found(case.file)
    assert code == check["exit_code"] == (2 if case.refused else bool(case.quarantined))
    (file,) = check["files"]
    assert file["would_load"] == case.loads
    if case.refused:
        assert file["refusal"]["code"] == case.refused
        assert case.says in file["refusal"]["cause"]
    else:
        assert file["refusal"] is None
        assert file["read_as"] == case.read_as
        assert file["received"] == case.loads + len(case.quarantined)
        assert file["would_quarantine"] == len(case.quarantined)
        assert lines(file) == list(case.quarantined)
    code, text = told(case.file)
    assert code == check["exit_code"]
    assert text.replace("\n", "").isprintable()
    assert text.count("\n") < SCREEN
    assert max(map(len, text.splitlines())) < 250
    assert state(root) == before


@pytest.mark.parametrize("case", (RIGHT | QUARANTINED).values(), ids=RIGHT | QUARANTINED)
def test_what_is_told_is_what_a_build_does(root, contract_of, case):
    case.write(root / "in")
    _, check = found(case.file)
    (file,) = check["files"]
    office = Office(root, contract_of(CONTRACT))
    case.write(office.folder())
    received, loads, held = (file[k] for k in ("received", "would_load", "would_quarantine"))
    assert counts(office.build()) == [(case.file, received, loads, held, 0)]
    assert office.rows('SELECT "column", reason, count(*) FROM quarantine GROUP BY 1, 2') == [
        (row["column"], row["reason"], row["records"]) for row in file["quarantine"]
    ]
    assert office.rows("SELECT field, repair, records FROM repair ORDER BY 1, 2") == [
        tuple(row.values()) for row in file["repairs"]
    ]


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_refused_and_the_others_are_checked(root, kind):
    (root / "in/a.csv").write_text(TEXT)
    NO_FILES[kind](root / "in/z.csv")
    code, check = found("a.csv", "z.csv", "none.csv")
    assert code == 2
    told = {f["file"]: (f["verdict"], (f["refusal"] or {}).get("code")) for f in check["files"]}
    assert told == {
        "a.csv": ("right", None),
        "none.csv": ("refused", "E021"),
        "z.csv": ("refused", "E105"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_name_does_nothing_to_a_terminal(root, name):
    (root / "in" / name).write_text(TEXT)
    code, text = told(f"./{name}")
    assert code == 0
    assert text.splitlines()[2] == f"{NAMES[name]}: all right, 3 records would load."


HOSTILE = ["=1+1", "@SUM(A1)", "<img src=x onerror=alert(1)>", "\x1b[2J", "\u202ezyx"]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_is_ever_told_and_no_word_acts(root, value):
    (root / "in/a.csv").write_text(f"track,points,mark,word{value}\n{value},1,2.5,\n")
    code, text = told("a.csv")
    assert (code, found("a.csv")[0]) == (1, 1)
    raw = CliRunner().invoke(main, ["check", "--json", "a.csv"]).stdout
    assert text.count(value) == text.count(f"“word{value}”") == value.isprintable()
    assert raw.isascii()
    assert "\x1b" not in raw
    assert value not in json.loads(raw)["files"][0]["quarantine"][0].values()


def test_the_text_tells_all_that_counts_in_aligned_columns(root):
    put(root, {**identified(aliases=["id"]), "max_quarantined": 0.25})
    rows = ["north,1,4.5,,7"] * 1200 + ["north,11,4.5,,8"] * 300 + ["west,12,4.5,,9", "n,72.5"]
    header = "branch\x1b,track,points,mark,note,id\n"
    (root / "in/a.csv").write_text(header + "".join(f",{row}\n" for row in rows))
    _, text = told("a.csv")
    assert text == (
        """\
Checked under the contract “Small exam”, version 1. Nothing is loaded.

a.csv: 1,200 records would load, 302 would go to quarantine.
  read as      CSV, UTF-8, comma; 24,358 bytes
  columns      4 of the contract's 4 fields are there
               read under another name: “id” is candidate
               ignored, as no field of the contract: “branch\\x1b”, “note”
  identifiers  candidate would not be loaded, as EXAMS_PSEUDONYM_KEY is not set
  records      1,502 received
               1,200 right
                 302 for the quarantine, 20.1%; the limit is 25.0%
  quarantine   records  column  reason                   on lines
                   301  points  above_maximum            1,202, 1,203, 1,204, 1,205, 1,206 …
                     1  *       wrong_number_of_columns  1,503
                     1  track   unknown_level            1,502

docs/reason-codes.md says what each reason means, and what to do.
"""
    )


def test_too_much_for_the_quarantine_is_a_refusal_with_its_reasons(root):
    put(root, {**CONTRACT, "max_quarantined": 0.3})
    (root / "in/a.csv").write_text(TEXT + "north,11,\nsüd,1;5,\n")
    code, check = found("a.csv")
    (file,) = check["files"]
    assert (code, file["verdict"], file["refusal"]["code"]) == (2, "refused", "E208")
    assert (file["would_load"], file["received"], file["would_quarantine"]) == (0, 5, 2)
    assert [row["reason"] for row in file["quarantine"]] == ["above_maximum", "not_a_number"]
    put(root, {**CONTRACT, "max_quarantined": 0.4})
    assert found("a.csv")[0] == 1


def test_each_quarter_has_its_own_contract(root):
    put(root, {**CONTRACT, "valid_from": "2020Q1", "version": "2"})
    (root / "data/contracts").mkdir()
    old = {**SMALL, "version": "1"}
    (root / "data/contracts/old.yaml").write_text(yaml.safe_dump(old))
    (root / "in/a.csv").write_text(TEXT)
    told = [found("a.csv", *q) for q in ((), ("--quarter", "2019Q4"), ("--quarter", "2020Q1"))]
    assert [(c["quarter"], c["contract"]["version"], code) for code, c in told] == [
        (None, "2", 0),
        ("2019Q4", "1", 1),  # süd was no level then
        ("2020Q1", "2", 0),
    ]


def test_a_file_in_the_folder_of_a_quarter_is_one_of_that_quarter(root, contract_of):
    office = Office(root, contract_of(CONTRACT))
    office.deliver("2019Q1", a=TEXT)
    code, check = found(str(office.folder("2019Q1") / "a.csv"))
    assert (code, check["quarter"]) == (0, "2019Q1")
    assert not check["files"][0]["already_delivered"]


def test_the_same_bytes_are_told_wherever_they_lie(root, contract_of):
    office = Office(root, contract_of(CONTRACT))
    office.deliver("2019Q1", a=TEXT)
    office.deliver("2019Q2", c=TEXT.replace("3", "4"))
    for name, text in {"a": TEXT, "b": TEXT, "c": TEXT.replace("3", "4")}.items():
        (root / f"in/{name}.csv").write_text(text)
    code, check = found("a.csv", "b.csv", "c.csv", "--quarter", "2019Q1")
    a, b, c = check["files"]
    assert code == 2
    assert (a["verdict"], a["already_delivered"]) == ("right", True)
    assert (b["verdict"], b["repeats"], b["would_load"]) == ("repeat", "a.csv", 0)
    assert c["refusal"]["code"] == "E121"
    assert c["refusal"]["cause"] == "2019Q1/c.csv has the same bytes as 2019Q2/c.csv."
    put(root, {**CONTRACT, "same_file_twice": True})
    assert found("a.csv", "b.csv", "c.csv", "--quarter", "2019Q1")[0] == 0


def candidates(*names):
    return "track,points,mark,candidate\n" + "".join(f"north,3,,{name}\n" for name in names)


def test_a_candidate_is_looked_for_in_the_other_files_of_the_quarter(root, contract_of):
    contract = identified(constraints={"unique": True})
    put(root, contract)
    office = Office(root, contract_of(contract))
    office.deliver(a=candidates("x", "y"), b=candidates("z"), c="no,header\n")
    (root / "in/b.csv").write_text(candidates("u", "x", "u"))
    (root / "in/bad.csv").write_text(candidates("w") + candidates("v"))  # refused at its end
    (root / "in/d.csv").write_text(candidates("w"))
    code, check = found("b.csv", "bad.csv", "d.csv", "--quarter", QUARTER)
    b, bad, d = check["files"]
    assert (code, b["would_load"], lines(b)) == (2, 1, [3, 4])
    assert (bad["refusal"]["code"], d["verdict"]) == ("E113", "right")
    code, check = found("b.csv")
    assert (code, lines(check["files"][0])) == (1, [4])
    assert check["files"][0]["identifiers"] == [{"field": "candidate", "loaded_as": None}]
    (office.folder() / "c.csv").unlink()
    shutil.copy(root / "in/b.csv", office.folder())
    assert counts(office.build()) == [("a.csv", 2, 2, 0, 0), ("b.csv", 3, 1, 2, 0)]


def test_identifiers_are_said_to_be_loaded_only_with_a_key(root, monkeypatch):
    put(root, identified())
    (root / "in/a.csv").write_text(candidates("x"))
    monkeypatch.setenv("EXAMS_PSEUDONYM_KEY", "k" * 16)
    code, check = found("a.csv")
    assert code == 0
    assert check["files"][0]["identifiers"] == [{"field": "candidate", "loaded_as": "pseudonym"}]
    assert "identifiers  candidate would be loaded as a pseudonym" in told("a.csv")[1]


def corrections(sha256, *rows):
    told = [f"{row},{reference(sha256)},{line}\n" for line, row in rows]
    return "track,points,mark,quarantine_delivery,quarantine_line\n" + "".join(told)


def test_corrections_are_judged_beside_what_they_correct(root, contract_of):
    office = Office(root, contract_of(CONTRACT))
    office.deliver(a=TEXT + "north,11,\n")
    office.build()
    (sha256,) = office.rows("SELECT sha256 FROM delivery")[0]
    text = corrections(sha256, (5, "north,10,"), (2, "north,9,"))
    (root / "in/0.csv").write_text(text)
    code, check = found("0.csv", "--quarter", QUARTER)
    (file,) = check["files"]
    assert (code, file["corrects"], file["max_quarantined"]) == (1, True, None)
    assert file["quarantine"] == [
        {"column": "*", "reason": "corrects_nothing", "records": 1, "lines": [3]}
    ]
    code, text = told("0.csv")
    assert (code, "is checked with --quarter alone" in text) == (0, True)


def test_what_has_changed_in_form_since_the_quarter_before_is_told(root, contract_of):
    office = Office(root, contract_of(CONTRACT))
    office.deliver("2024Q1", a=TEXT)
    office.build("2024Q1")
    office.deliver("2024Q3", a="branch,points,mark,extra\nnorth,9,4.5,\n")
    office.build("2024Q3")
    (root / "in/a.csv").write_text("branch,points,mark\nnorth,9,4.5\nabroad,1,1.0\n")
    before = state(root / "data")
    code, check = found("a.csv", "--quarter", "2024Q2")
    assert (code, check["changes"]["since"]) == (1, "2024Q1")
    changed = [(c["subject"], c["change"]) for c in check["changes"]["found"]]
    assert changed == [("track", "column_renamed"), ("track", "unknown_level")]
    _, check = found("a.csv")
    assert check["changes"]["since"] == "2024Q3"
    assert [c["change"] for c in check["changes"]["found"]] == ["unknown_level", "column_gone"]
    _, text = told("a.csv", "--quarter", "2024Q2")
    assert (
        "What has changed in form since 2024Q1, the newest quarter loaded before:\n  track" in text
    )
    assert "abroad" not in text
    assert found("a.csv", "--quarter", "2024Q1")[1]["changes"] == {"since": None, "found": []}
    assert state(root / "data") == before


def test_a_warehouse_that_cannot_be_read_does_not_stop_a_check(root, contract_of):
    office = Office(root, contract_of(CONTRACT))
    office.warehouse.write_bytes(b"no database")
    (root / "in/a.csv").write_text(TEXT)
    code, check = found("a.csv")
    assert (code, check["changes"]["since"]) == (0, None)


def test_long_lists_end_in_a_count(root):
    track, points, _ = SMALL["fields"]
    scores = [{**points, "name": f"s{n}", "title": f"s{n}"} for n in range(20)]
    put(root, {**SMALL, "fields": [track, *scores]})
    names = ["track", *(f"s{n}" for n in range(20))]
    (root / "in/a.csv").write_text(",".join(names) + "\n" + "x," * 20 + "x\n")
    code, text = told("a.csv")
    assert (code, text.count("not_a_number"), text.count("unknown_level")) == (1, 12, 0)
    assert "and 9 more kinds; --json lists them\n" in text
    assert len(found("a.csv")[1]["files"][0]["quarantine"]) == 21


def test_several_files_end_in_a_summary(root):
    (root / "in/a.csv").write_text(TEXT)
    (root / "in/b.csv").write_text(TEXT + "x,,\n")
    (root / "in/c.csv").write_text("")
    shutil.copy("a.csv", "d.csv")
    code, text = told("d.csv", "c.csv", "b.csv", "a.csv", "a.csv")
    assert code == 2
    said = "4 files: 1 all right, 1 with records for the quarantine, 1 refused, 1 like another one."
    assert said in text.splitlines()
    heads = [text.index(f"\n{name}.csv: ") for name in "abcd"]
    assert all(a < b for a, b in pairwise(heads))


def test_wrong_usage_is_told_in_words(root):
    result = CliRunner().invoke(main, ["check", "a.csv", "--quarter", "2019"])
    assert (result.exit_code, result.stderr[:4]) == (2, "E001")
    assert CliRunner().invoke(main, ["check"]).exit_code == 2
    assert found(".hidden.csv")[1]["files"][0]["refusal"]["code"] == "E021"
    (root / "in/.hidden.csv").write_text(TEXT)
    assert found(".hidden.csv")[1]["files"][0]["refusal"]["code"] == "E023"


def test_every_key_is_there_whatever_becomes_of_a_file(root):
    (root / "in/a.csv").write_text(TEXT)
    (root / "in/b.csv").write_text(TEXT)
    (root / "in/c.csv").write_text("")
    (root / "in/d.csv").write_text(TEXT + TEXT)
    _, check = found("a.csv", "b.csv", "c.csv", "d.csv", "none.csv")
    assert set(check) == {"quarter", "contract", "exit_code", "files", "changes"}
    first, *others = [set(file) for file in check["files"]]
    assert all(keys == first for keys in others)
    assert first == {
        "file", "bytes", "verdict", "read_as", "repeats", "already_delivered", "corrects",
        "columns", "identifiers", "received", "would_load", "would_quarantine",
        "share_quarantined", "max_quarantined", "quarantine", "repairs", "refusal",
    }  # fmt: skip


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_refused(root):
    (root / "in/a.csv").write_text(TEXT)
    (root / "in/a.csv").chmod(0)
    assert found("a.csv")[1]["files"][0]["refusal"]["code"] == "E120"
