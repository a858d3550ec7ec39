"""SQL by name, from the files in `sql/`.

A file is a sequence of statements, each below a line ``-- name: its_name`` and at least one line
that describes it. Names are unique within a file.
"""

from collections.abc import Mapping
from importlib.resources import files

_MARK = "-- name: "


def load(file: str) -> Mapping[str, str]:
    """The statements of a file by name. Raises ValueError for a file not in the form above."""
    text = files(__package__).joinpath("sql", file).read_text(encoding="utf-8")
    return parse(text, file)


def parse(text: str, file: str) -> Mapping[str, str]:
    """The statements in `text` by name; `file` names it in errors."""
    before, *sections = ("\n" + text).split("\n" + _MARK)
    if before.strip():
        raise ValueError(f"{file}: text before the first name")
    statements: dict[str, str] = {}
    for section in sections:
        name, *lines = section.splitlines()
        sql = "\n".join(line for line in lines if not line.startswith("--")).strip()
        if not lines or not lines[0].startswith("-- "):
            raise ValueError(f"{file}: {name} has no description")
        if not sql:
            raise ValueError(f"{file}: {name} has no statement")
        if name in statements:
            raise ValueError(f"{file}: {name} is there twice")
        statements[name] = sql
    return statements
