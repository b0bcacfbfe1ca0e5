"""The page docs/error-codes.md: `python -m exams.codes > docs/error-codes.md`.

Made from the calls of ExamsError in this package, so that it holds each of them.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

_HEAD = """\
# Error codes

Made by `python -m exams.codes` from src/exams/; do not edit.

What a user or an operator can mend has a code: on the terminal, in the status and in
`exams status --json`. `…` stands for a name or a number. A failure without a code is a defect, or
a mistake in a notebook: its class and place are named, and `exams status` leads to the notebook.
"""
_KINDS = {
    "E0": "Settings and calls",
    "E1": "Delivered files",
    "E2": "Loading",
    "E3": "Publishing, the dashboard and the API",
    "E4": "Building, the schedule and backups",
}
_GAP = "…"

Scope = dict[str, list[ast.Assign]]


class Said(NamedTuple):
    """What one call of ExamsError says: its code, what is wrong, what to do."""

    code: str
    message: str
    remedy: str


def page(package: Path = Path(__file__).parent) -> str:
    """Return the page in Markdown."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py"))]
    every = sorted({said for source in sources for said in errors(source)})
    lines = [_HEAD]
    for kind, found in groupby(every, lambda said: said.code[:2]):
        lines += [f"## {_KINDS[kind]}", "", "| code | what is said | what to do |", "|---|---|---|"]
        lines += [f"| {said.code} | {said.message} | {said.remedy} |" for said in found]
        lines += [""]
    return "\n".join(lines)


@cache
def told(code: str, package: Path = Path(__file__).parent) -> tuple[Said, ...]:
    """Return what the page says of one code: nothing, if there is no such code.

    It parses those modules only that name the code.
    """
    sources = (path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    named = (source for source in sources if f'"{code}"' in source)
    return tuple(sorted({s for source in named for s in errors(source) if s.code == code}))


def errors(source: str) -> Iterator[Said]:
    """Yield what each call of ExamsError in Python code says, but for those that pass one on."""
    tree = ast.parse(source)
    outer = _assigned(tree.body)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        unknown: Scope = {argument.arg: [] for argument in function.args.args}
        scope = outer | unknown | _assigned(ast.walk(function))
        for call in ast.walk(function):
            match call:
                case ast.Call(ast.Name("ExamsError"), [ast.Constant(str(code)), what, remedy]):
                    yield Said(code, *(_said(part, scope, call.lineno) for part in (what, remedy)))


def _assigned(nodes: Iterable[ast.AST]) -> Scope:
    """Return, by name, the plain assignments among some nodes."""
    found: Scope = {}
    for node in nodes:
        match node:
            case ast.Assign([ast.Name(name)]):
                found.setdefault(name, []).append(node)
    return found


def _said(node: ast.expr, scope: Scope, line: int) -> str:
    text = re.sub(f"{_GAP}+", _GAP, _text(node, scope, line)).replace("|", "\\|")
    return text if any(map(str.isalpha, text)) else "(the message says it)"


def _text(node: ast.expr, scope: Scope, line: int) -> str:
    """Return the text of an expression, with a gap where it is not known before it runs."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, scope, line) for part in parts)
        case ast.BinOp(left, ast.Add(), right):
            return _text(left, scope, line) + _text(right, scope, line)
        case ast.FormattedValue(ast.Name() as name) | (ast.Name() as name):
            return _named(name.id, scope, line)
        case ast.IfExp(_, one, other):
            return " / ".join(_text(part, scope, line) for part in (one, other)).rstrip(" /")
    return _GAP


def _named(name: str, scope: Scope, line: int) -> str:
    """Return the text that a name was last given above a line, or anywhere if not above it."""
    given = sorted(scope.get(name, []), key=lambda node: node.lineno)
    above = [node for node in given if node.lineno < line] or given
    return _text(above[-1].value, scope, above[-1].lineno) if above else _GAP


if __name__ == "__main__":
    print(page(), end="")
