"""SQL by name, from the files in `sql/`.

A file is a sequence of statements, each below a line ``-- name: its_name`` and at least one line
that describes it. Names are unique within a file. What several statements have in common is a
fragment, below ``-- fragment: its_name``, and stands in them, and in fragments before it, where
``{its_name}`` is.
"""

import re
from collections.abc import Mapping
from importlib.resources import files

_HEADS = re.compile(r"^-- (name|fragment): (.*)$", re.MULTILINE)


def load(file: str) -> Mapping[str, str]:
    """The statements of a file by name. Raises ValueError for a file not in the form above."""
    text = files(__package__).joinpath("sql", file).read_text(encoding="utf-8")
    return parse(text, file)


def parse(text: str, file: str) -> Mapping[str, str]:
    """The statements in `text` by name; `file` names it in errors."""
    before, *sections = _HEADS.split(text)
    if before.strip():
        raise ValueError(f"{file}: text before the first name")
    found: dict[str, dict[str, str]] = {"name": {}, "fragment": {}}
    for kind, name, section in zip(sections[::3], sections[1::3], sections[2::3], strict=True):
        lines = section.removeprefix("\n").splitlines()
        sql = "\n".join(line for line in lines if not line.startswith("--")).strip()
        if not lines or not lines[0].startswith("-- "):
            raise ValueError(f"{file}: {name} has no description")
        if not sql:
            raise ValueError(f"{file}: {name} has no statement")
        if name in found["name"] | found["fragment"]:
            raise ValueError(f"{file}: {name} is there twice")
        found[kind][name] = sql
    statements = found["name"]
    for fragment, part in found["fragment"].items():
        mark = f"{{{fragment}}}"
        statements = {name: sql.replace(mark, part) for name, sql in statements.items()}
    return statements
