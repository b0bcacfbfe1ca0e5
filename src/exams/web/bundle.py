"""One script out of modules: browsers load no module from a file system."""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([\w-]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const) (\w+)", re.MULTILINE)
_OTHER = re.compile(r"^(import|export)\b.*", re.MULTILINE)


def bundle(script: Path) -> str:
    """Return a script and all that it imports as one, imported ones first.

    Each is a function of its own, so that two may use the same name; what it exports is in
    `modules["name.js"]`. They import by `import {a, b as c} from "./name.js";` and export
    functions and constants where they are defined; raise ValueError for any other way.
    """
    parts = [
        _wrapped(module.name, module.read_text(encoding="utf-8")) for module in modules(script)
    ]
    return "\n".join(['"use strict";', "const modules = {};", *parts])


def modules(script: Path) -> list[Path]:
    """Return a script and those that it imports, each behind what it needs itself."""
    imported = _IMPORT.findall(script.read_text(encoding="utf-8")) if script.is_file() else []
    needed = [module for _, name in imported for module in modules(script.with_name(name))]
    return list(dict.fromkeys([*needed, script]))


def _wrapped(name: str, text: str) -> str:
    names = ", ".join(found[1] for found in _EXPORT.findall(text))
    text = _IMPORT.sub(lambda found: _taken(*found.groups()), text)
    text = _EXPORT.sub(r"\1 \2", text)
    if other := _OTHER.search(text):
        raise ValueError(f"{name}: {other[0]}")
    return f'modules["{name}"] = (() => {{\n{text}return {{{names}}};\n}})();\n'


def _taken(names: str, module: str) -> str:
    return f'const {names.replace(" as ", ": ")} = modules["{module}"];'
