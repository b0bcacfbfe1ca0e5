"""Error codes: one meaning each, in one module, and a remedy with every one."""

import ast
import re
from pathlib import Path

import pytest

from exams.errors import ExamsError

SOURCE = Path(__file__).parents[1] / "src"


def calls(source):
    """Return the calls of ExamsError in Python code, but for those that pass a code on."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    made = [c for c in found if isinstance(c.func, ast.Name) and c.func.id == "ExamsError"]
    return [c for c in made if not (c.args and ast.unparse(c.args[0]).endswith(".code"))]


def code_of(call):
    """Return the code of a call, or None if it is not a plain E and three digits."""
    first = call.args[0] if call.args else None
    code = first.value if isinstance(first, ast.Constant) else None
    return code if re.fullmatch(r"E\d{3}", str(code)) else None


def complaints(sources):
    """Return what is wrong with the codes in `sources`, code by name of module."""
    homes, wrong = {}, []
    for module, source in sources.items():
        for call in calls(source):
            where = f"{module}:{call.lineno}"
            code = code_of(call)
            if code is None:
                wrong.append(f"{where} has no code")
                continue
            if homes.setdefault(code, module) != module:
                wrong.append(f"{where} {code} is used in {homes[code]}, too")
            remedy = call.args[2] if len(call.args) == 3 else None
            if remedy is None or (isinstance(remedy, ast.Constant) and not remedy.value):
                wrong.append(f"{where} {code} has no remedy")
    return wrong


def test_every_code_has_one_home_and_every_error_a_remedy():
    modules = sorted(SOURCE.rglob("*.py"))
    sources = {str(path.relative_to(SOURCE)): path.read_text() for path in modules}
    assert sum(len(calls(source)) for source in sources.values()) > 20
    assert complaints(sources) == []


@pytest.mark.parametrize(
    ("b", "wrong"),
    [
        ('ExamsError("E002", "what", "do")', []),
        ("ExamsError(other.code, verdicts, other.remedy)", []),
        ('ExamsError("E001", "what", "do")', ["b:1 E001 is used in a, too"]),
        ('ExamsError("E002", "what")', ["b:1 E002 has no remedy"]),
        ('ExamsError("E002", "what", "")', ["b:1 E002 has no remedy"]),
        ('ExamsError(code, "what", "do")', ["b:1 has no code"]),
        ('ExamsError("2", "what", "do")', ["b:1 has no code"]),
    ],
)
def test_a_code_in_two_modules_and_a_missing_remedy_are_found(b, wrong):
    a = 'ExamsError("E001", "what", "do")\nExamsError("E001", "other", remedy)'
    assert complaints({"a": a, "b": b}) == wrong


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("süd \u2013 50\u00a0%", "süd \u2013 50\u00a0%"),
        ("\U0001f469\u200d\U0001f393", "\U0001f469\u200d\U0001f393"),
        ("a\x1b[2J\n\x7f\x9b", "a\\x1b[2J\\x0a\\x7f\\x9b"),
        ("\u202efdp.csv\u2028\U000e0041", "\\u202efdp.csv\\u2028\\U000e0041"),
        ("s\udcfcd \ud800", "s\\xfcd \\ud800"),
        ("a\\x0a", "a\\x0a"),
    ],
)
def test_an_error_is_printable(text, shown):
    error = ExamsError("E001", text, text)
    assert (error.message, error.remedy, str(error)) == (shown, shown, f"E001 {shown} {shown}")
    assert ExamsError("E001", shown, "").message == shown
