"""The rules of the house."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest

from exams.notebook import stripped, text

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = sorted(f for f in (ROOT / "src").rglob("*") if f.suffix in (".js", ".j2", ".css"))
# What notebooks of the public side may import: nothing that reads the warehouse.
PUBLIC = {
    "altair",
    "exams.dashboard",
    "exams.datapackage",
    "exams.places",
    "exams.published",
    "exams.site",
    "exams.stages.corrected",
    "exams.stages.receipt",
    "exams.stages.findings",
    "exams.stages.notice",
    "exams.stages.over_time",
    "exams.stages.tips",
    "exams.stages.visualize",
    "exams.status",
    "exams.web",
}
COLUMNS = re.compile(
    r"race.?ethnicity|parental|test.?preparation|preparation.?course"
    r"|(math|reading|writing).?score|[\"'](lunch|gender|math|reading|writing)[\"']",
    re.IGNORECASE,
)
SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|INSERT\s+INTO|DELETE\s+FROM|UPDATE\b.+\bSET|CREATE\s+TABLE)\b",
    re.IGNORECASE | re.DOTALL,
)

EXTRAS = ("api", "dask", "postgresql")


def name(path):
    return str(path.relative_to(ROOT))


def cells(path):
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def too_long_functions(source, limit):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, functions)]
    return [f.name for f in found if f.end_lineno - f.lineno + 1 > limit]


def loops_over_rows(source):
    return re.findall(r"\b(iterrows|itertuples|iter_rows)\b", source)


def definitions(source):
    nodes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, nodes)]


def undeclared(sources, declared):
    """Return the modules that `sources` import and no package in `declared` brings."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    names = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    known = {re.sub(r"[-_.]+", "-", package.lower()) for package in declared}
    brings = packages_distributions()
    return sorted(
        top
        for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"exams"}
        if known.isdisjoint(re.sub(r"[-_.]+", "-", d.lower()) for d in brings.get(top, []))
    )


def files_of_git():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is not a clone")
    return [ROOT / path for path in listed.stdout.split("\0") if path]


def requirements(*extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = project["dependencies"] + [
        requirement for extra in extras for requirement in project["optional-dependencies"][extra]
    ]
    return named(listed)


def tools():
    """Return the packages that measure and fuzz; pandas and the like are of the product, too."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return {name for listed in groups.values() for name in named(listed)} - set(requirements())


def named(listed):
    """Return the packages, but for ourselves: an extra may hold another one."""
    found = [re.match(r"[\w.-]+", requirement)[0] for requirement in listed]
    return [name for name in found if name != "exams"]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_under_300_lines_and_its_functions_at_most_40(path):
    source = path.read_text()
    assert len(source.splitlines()) < 300
    assert too_long_functions(source, 40) == []


def test_a_function_of_41_lines_is_found():
    assert too_long_functions("def f():\n" + "    1\n" * 40, 40) == ["f"]
    assert too_long_functions("def f():\n" + "    1\n" * 39, 40) == []


@pytest.mark.parametrize("path", [*MODULES, *NOTEBOOKS, *PAGES], ids=name)
def test_only_the_contract_knows_columns(path):
    source = "\n".join(cells(path)) if path.suffix == ".ipynb" else path.read_text()
    assert [match[0] for match in COLUMNS.finditer(source)] == []


@pytest.mark.parametrize("words", ["race_ethnicity", "math score", "by['lunch']", '"gender"'])
def test_a_named_column_is_found(words):
    assert COLUMNS.search(words)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_is_stripped(path):
    source = path.read_text()
    assert text(stripped(nbformat.reads(source, as_version=4))) == source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_cell_is_short_and_defines_nothing_and_holds_no_sql(path):
    for source in cells(path):
        assert len(source.splitlines()) <= 10, source
        assert definitions(source) == []
        assert loops_over_rows(source) == []
        assert not SQL.search(source), source


def beyond_the_wall(source):
    """Return the imports of `source` that are not of the public side."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    parents = {name: {name, *(name[:i] for i, c in enumerate(name) if c == ".")} for name in names}
    return [name for name in names if not parents[name] & PUBLIC]


@pytest.mark.parametrize("stem", ["visualize", "dashboard"])
def test_a_notebook_of_the_public_side_cannot_reach_the_warehouse(stem):
    source = "\n".join(cells(ROOT / "notebooks" / f"{stem}.ipynb"))
    assert beyond_the_wall(source) == []
    assert not re.search(r"\.(warehouse|interim)\b|__import__|\beval\b|\bexec\b", source)


@pytest.mark.parametrize(
    "source, found",
    [
        ("from exams.places import Places\nfrom exams.stages import visualize", []),
        ("from exams.stages import visualize, load", ["exams.stages.load"]),
        ("from exams import warehouse", ["exams.warehouse"]),
        ("from exams.warehouse.read import read_results", ["exams.warehouse.read.read_results"]),
        ("from exams.statusquo import x", ["exams.statusquo.x"]),
        ("import exams, sqlite3", ["exams", "sqlite3"]),
        ("from exams import *", ["exams.*"]),
        ("if True:\n    import exams.intake.reading.reader as r", ["exams.intake.reading.reader"]),
    ],
)
def test_an_import_beyond_the_wall_is_found(source, found):
    assert beyond_the_wall(source) == found


def test_sql_and_definitions_in_a_cell_are_found():
    assert SQL.search('read("select a\nfrom b")')
    assert not SQL.search('title = "Select a quarter"')
    assert not SQL.search("from exams.site import write_index  # then select and insert")
    assert definitions("def f(): 1\nclass C: 1") == ["f", "C"]
    assert loops_over_rows("for row in table.itertuples(): 1") == ["itertuples"]


def test_no_file_names_the_host_of_a_package_index():
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"))]
    hosts += [".".join(parts) for parts in (("repo", "anaconda", "com"), ("conda", "anaconda"))]
    for path in files_of_git():
        content = path.read_bytes() if path.is_file() else b""
        assert [host for host in hosts if host.encode() in content] == [], path


def test_every_module_that_is_imported_comes_from_a_declared_package():
    sources = [path.read_text() for path in MODULES]
    sources += [source for path in NOTEBOOKS for source in cells(path)]
    assert undeclared(sources, requirements(*EXTRAS)) == []


def test_a_module_of_an_undeclared_package_is_found():
    source = "import json, yaml.nodes\nfrom . import near\ndef f():\n    from bs4 import Tag"
    assert undeclared([source], ["PyYAML"]) == ["bs4"]
    assert undeclared([source], ["PyYAML", "beautifulsoup4"]) == []
    assert undeclared(["import no_such_module"], []) == ["no_such_module"]


def test_every_dependency_has_its_reason():
    page = (ROOT / "docs/dependencies.md").read_text()
    reasons = dict(re.findall(r"^\| ([\w.-]+) \| (.+\.) \|$", page, re.M))
    assert sorted(reasons) == sorted([*requirements("dev", "kaggle", *EXTRAS), *tools()])


def test_every_dependency_is_in_the_lock_with_a_hash():
    assert set(requirements("dev", *EXTRAS)) <= pinned("requirements.lock")
    assert tools() <= pinned("benchmarks/requirements.lock") | pinned("tests/fuzz.lock")


def pinned(lock):
    line = r"^([\w.-]+)(?:\[[\w,-]+\])?==[^\n]*\\\n +--hash=sha256:"
    return set(re.findall(line, (ROOT / lock).read_text(), re.M))
