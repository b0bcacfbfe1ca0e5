"""One script out of modules: browsers load no module from a file system."""

import re
from collections.abc import Iterator

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([\w-]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const) (\w+)", re.MULTILINE)
_OTHER = re.compile(r"^(import|export)\b.*", re.MULTILINE)


def bundle(modules: dict[str, str], entry: str) -> str:
    """Return the module `entry` and all that it imports as one script, imported ones first.

    modules: their texts by name. They import by `import {a, b as c} from "./name.js";` and export
    functions and constants where they are defined; raise ValueError for any other way.
    """
    seen: set[str] = set()

    def parts(name: str) -> Iterator[str]:
        seen.add(name)
        for _, imported in _IMPORT.findall(modules[name]):
            if imported not in seen:
                yield from parts(imported)
        yield _wrapped(name, modules[name])

    return "\n".join(['"use strict";', "const modules = {};", *parts(entry)])


def _wrapped(name: str, text: str) -> str:
    """Return a module as a function of its own, so that its names are not seen outside."""
    names = ", ".join(found[1] for found in _EXPORT.findall(text))
    text = _IMPORT.sub(lambda found: _taken(*found.groups()), text)
    text = _EXPORT.sub(r"\1 \2", text)
    if other := _OTHER.search(text):
        raise ValueError(f"{name}: {other[0]}")
    return f'modules["{name}"] = (() => {{\n{text}return {{{names}}};\n}})();\n'


def _taken(names: str, module: str) -> str:
    return f'const {names.replace(" as ", ": ")} = modules["{module}"];'
