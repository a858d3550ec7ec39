"""Tables of the documentation say what the code says."""

import re
import tomllib
from pathlib import Path

import click

from perdure import engine
from perdure.api.incoming import BODY_LIMIT_BYTES
from perdure.api.preferences import LONGEST_WAIT_S
from perdure.api.problems import CODES
from perdure.api.values import DEEPEST
from perdure.bootstrap.http_server import (
    BODY_TIMEOUT_S,
    HEAD_LIMIT_BYTES,
    HEAD_TIMEOUT_S,
    MOST_CONNECTIONS,
)
from perdure.bootstrap.settings import SETTINGS, Settings, read_settings
from perdure.cli import main
from perdure.cli.serve import serve
from perdure.engine.downloads import AT_ONCE
from perdure.engine.families import DEEPEST as DEEPEST_CHILD
from perdure.engine.registry import MOST_ANNOUNCED_BYTES, MOST_DEFINITIONS
from perdure.machine.batch import JOURNAL_LIMIT_BATCHES, JOURNAL_LIMIT_BYTES
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.ports.executions import LONGEST_PAGE
from perdure.ports.journal import INBOX_LIMIT
from perdure.ports.runtime import DOCUMENT_LIMIT_BYTES
from tests.support.markdown import DOCS, ROOT, blocks, table

_CODE = re.compile(r"`([^`]+)`")
WITHOUT_DEFAULT = {"paths", "admin_key"}


def test_every_setting_is_there_with_its_default() -> None:
    rows = table(DOCS / "how-to" / "production.md", "## Settings")
    shown = {name.strip("`"): default.strip("`") for name, default, *_ in rows}
    assert list(shown) == [row[0].strip("`") for row in rows], "a setting is there twice"
    assert set(shown) == set(SETTINGS)
    for setting in SETTINGS.values():
        if setting.name in WITHOUT_DEFAULT:
            assert shown[setting.name] == ""
        else:
            assert setting.read(shown[setting.name]) == getattr(Settings(), setting.field)


def test_every_flag_of_serve_is_there() -> None:
    rows = table(DOCS / "how-to" / "production.md", "## Settings")
    shown = {name.strip("`"): flag.strip("`").partition(" ")[0] for name, _, flag, _ in rows}
    there = {str(parameter.name): parameter.opts[0] for parameter in serve.params}
    assert {name: flag for name, flag in shown.items() if flag} == {**there, "paths": "PATH"}


def test_the_settings_file_that_is_shown_can_be_read(tmp_path: Path) -> None:
    [shown] = [
        block.text
        for block in blocks(DOCS / "how-to" / "production.md")
        if block.language == "toml"
    ]
    (tmp_path / "perdure.toml").write_text(shown, encoding="utf-8")
    (tmp_path / "workflows").mkdir()
    assert read_settings({}, {}, tmp_path).paths == (tmp_path / "workflows",)


def test_every_limit_is_as_it_says() -> None:
    rows = table(DOCS / "how-to" / "production.md", "## Limits")
    body, value, document, depth, head, connections, journal, events, wait, downloads, pages = (
        limit for _, limit in rows
    )
    mb = 1024 * 1024
    assert body == f"{BODY_LIMIT_BYTES // mb} MB, within {BODY_TIMEOUT_S:.0f} s"
    assert value == f"{VALUE_LIMIT_BYTES // mb} MB, {DEEPEST} levels deep"
    registered = f"{MOST_DEFINITIONS:,} are registered, {MOST_ANNOUNCED_BYTES // mb} MB"
    assert document == f"{DOCUMENT_LIMIT_BYTES // mb} MB; {registered} of what is listed of them"
    assert depth == f"{DEEPEST_CHILD} deep"
    assert head == f"{HEAD_LIMIT_BYTES // 1024} KB, within {HEAD_TIMEOUT_S:.0f} s"
    assert connections == f"{MOST_CONNECTIONS:,}"
    batches = f"{JOURNAL_LIMIT_BATCHES:,} batches or {JOURNAL_LIMIT_BYTES // mb} MB"
    assert journal.partition(":")[0] == batches
    assert events == f"{INBOX_LIMIT:,}"
    assert wait == f"{LONGEST_WAIT_S} s"
    assert downloads == f"{AT_ONCE}"
    assert pages.startswith(f"{LONGEST_PAGE} executions")


def test_every_problem_is_there() -> None:
    rows = table(DOCS / "api.md", "## Errors")
    shown = {code.strip("`"): (status, meaning) for code, status, meaning in rows}
    assert shown == {
        code: (str(known.status), known.meaning.replace("|", "\\|"))
        for code, known in CODES.items()
    }


def test_every_package_is_there() -> None:
    rows = table(DOCS / "architecture.md", "## The parts")
    packages = (ROOT / "src" / "perdure").glob("*/__init__.py")
    assert {name.strip("`") for name, *_ in rows} == {each.parent.name for each in packages}


def test_the_layers_are_those_that_are_enforced() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [each["layers"] for each in contracts["contracts"] if each["id"] == "layers"]
    enforced = [line.replace("(", "").replace(")", "") for line in layers if line != "__main__"]
    assert "\n".join(enforced) + "\n" in [block.text for block in blocks(DOCS / "architecture.md")]


def test_every_command_is_at_a_glance_in_the_readme() -> None:
    rows = table(ROOT / "README.md", "## The command line")
    shown = {command.split()[1].strip("`"): set(_CODE.findall(what)) for command, what in rows}
    assert set(shown) == set(main.commands)
    for name, command in main.commands.items():
        if isinstance(command, click.Group):
            assert shown[name] == set(command.commands)


def test_every_service_of_the_engine_is_there() -> None:
    """Those that the engine's own description names are those that the architecture explains."""
    rows = table(DOCS / "architecture.md", "## The engine's services")
    shown = {name for row in rows for cell in row for name in _CODE.findall(cell)}
    named = set(_CODE.findall(engine.__doc__ or "")) - {"State"}
    assert named <= shown
