"""Fingerprints that make a stage due: of the code it imports and of what it reads.

pipeline.yaml passes them to the notebooks as parameters; Ploomber reruns a stage whose
parameters have changed.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import exams
from exams.contract import contract_of
from exams.contract.versions import contract_file, contract_files
from exams.errors import ExamsError
from exams.intake.judging.identifiers import key_fingerprint
from exams.intake.reading.arrivals import delivered
from exams.places import Places, private_key
from exams.warehouse import store
from exams.web.bundle import modules

_MARGIN = re.compile(r"^[^\s)#]", re.MULTILINE)
PACKAGE = Path(exams.__file__).parent
# Stages where quarters are compared: so far, visualize alone draws earlier ones. What model and
# publish compare shall find them due, too.
COMPARING = ("model", "publish", "visualize")
_TAKING_IN = ("extract", "transform", "load")
# What the parameters stand for that make a stage due.
WORDS = {
    "code": "the code that it imports",
    "contract": "the contract",
    "deliveries": "what lies in the quarter's folder",
    "key": "the key to pseudonyms",
    "earlier": "what is loaded of earlier quarters",
    "report": "what reports look like",
    "inputs": "what it reads",
}


def absolute(folder: str) -> str:
    """Return `folder` as an absolute path, so that a notebook finds it from anywhere."""
    return str(Path(folder).resolve())


def code(notebook: str) -> str:
    """Return the fingerprint of the modules of this package that `notebook` imports.

    Followed through the package, so that a change in any of them makes the stage due.
    """
    todo = {*imported(Path(notebook))}
    seen: dict[str, str] = {}
    tried: set[str] = set()
    while todo:
        name = todo.pop()
        tried.add(name)
        if file := _file(name):
            source = file.read_bytes()
            seen[name] = _sha256(source)
            todo |= {name.rpartition(".")[0], *_imports(source.decode(), name, file)} - tried
    return _digest(sorted(seen.items()))


def imported(notebook: Path) -> list[str]:
    """Return every module that the cells of `notebook` import (and some names in them)."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    return [name for source in sources for name in _imports(_python(source))]


def inputs(stage: str, quarter: str, data: str, reports: str) -> dict[str, str]:
    """Return fingerprints of what `stage` reads beside the results of the stage before it.

    The quarter's contract and what reports look like for every stage; the delivered files for
    extract; the key to pseudonyms for the stages that take identifiers in; and what is loaded of
    the earlier quarters for the stages where quarters are compared. A broken contract raises
    nothing here: the stage itself will say what is wrong.
    """
    places = Places.of(data, reports)
    read: dict[str, object] = {"contract": rules(places, quarter), "report": report_form()}
    if stage == "extract":
        read["deliveries"] = delivered(places, quarter)
    if stage in _TAKING_IN:
        read["key"] = pseudonym_key(places, quarter)
    if stage in COMPARING:
        read["earlier"] = earlier(places, quarter)
    return {name: _digest(value) for name, value in read.items()}


def rules(places: Places, quarter: str) -> list[str]:
    """Return the SHA-256 of the contract of `quarter`; of every version if that cannot be told."""
    try:
        files = [contract_file(places, quarter)]
    except ExamsError:
        files = contract_files(places)
    return [_sha256(file.read_bytes()) if file.is_file() else "" for file in files]


def report_form() -> list[tuple[str, str]]:
    """Return the SHA-256 of each file that every report is made with, by its name."""
    web, static = PACKAGE / "web", PACKAGE / "web/voila/templates/exams/static"
    files = [PACKAGE / "report.py", *(web / "nbconvert").rglob("*.*")]
    files += [static / "tokens.css", *modules(static / "charts.js")]
    return sorted((file.name, _sha256(file.read_bytes())) for file in files if file.is_file())


def pseudonym_key(places: Places, quarter: str) -> str:
    """Return the fingerprint of the key to pseudonyms; empty if no field is an identifier."""
    try:
        identifiers = contract_of(places, quarter).identifiers
    except ExamsError:
        return ""
    return key_fingerprint(private_key(places.private)) if identifiers else ""


def earlier(places: Places, quarter: str) -> list[tuple[str, str]]:
    """Return what the warehouse holds of each quarter before `quarter`: its load's content."""
    return [(q, content) for q, content in store.loaded(places.warehouse).items() if q < quarter]


def _python(source: str) -> str:
    """Return the Python lines of a cell; nothing if it is not Python."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return ""
    return "\n".join(lines)


@cache  # the stages share most modules
def _imports(source: str, name: str = "", file: Path | None = None) -> tuple[str, ...]:
    """Return every module that `source`, the module `name`, imports (and some names in them)."""
    found: list[str] = []
    for node in _statements(_parsed(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, name, file)
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(found)


def _parsed(source: str) -> ast.Module:
    """Return the tree of `source`, or of what suffices for its imports, in a third of the time.

    That is all up to the first line at the margin behind the last word "import".
    """
    last = source.rfind("import")
    if rest := _MARGIN.search(source, last + 1):
        with suppress(SyntaxError):  # the word was within a text, or so
            return ast.parse(source[: rest.start()])
    return ast.parse(source)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield every statement, however deep; expressions, which are many, import nothing."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            todo += getattr(node, block, ())


def _base(node: ast.ImportFrom, name: str, file: Path | None) -> str:
    if not node.level:
        return node.module or ""
    package = name if file is not None and file.stem == "__init__" else name.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{node.module}" if node.module else package


def _file(name: str) -> Path | None:
    """Return the file of a module of this package; None for anything else."""
    package, *rest = name.split(".")
    if package != PACKAGE.name:
        return None
    place = PACKAGE.joinpath(*rest)
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return file if file.is_file() else None


def _digest(value: object) -> str:
    return _sha256(json.dumps(value).encode())[:16]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
