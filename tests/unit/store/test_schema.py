"""Migrations, and the SQL that goes with them."""

import re
from pathlib import Path
from typing import Any

import pytest

from perdure.model.identifiers import execution_id
from perdure.store.sqlite import schema
from perdure.store.sqlite.connections import open_writer
from perdure.store.sqlite.log_reads import add_functions
from perdure.store.sqlite.schema import APPLICATION_IDS, Database, migrations
from perdure.store.sqlite.statements import load, parse
from tests.unit.ports.subject import CREATED
from tests.unit.store.opened import Loop, open_store

SQL = Path(schema.__file__).parent / "sql"
STATEMENTS = [(file.name, name) for file in sorted(SQL.glob("*.sql")) for name in load(file.name)]


SORTING = {"of_batch"}
"""Statements that sort what they found: lines of the few batches that were lost."""

NO_TABLE = re.compile(r"SCAN CONSTANT ROW|SCAN \(subquery|VIRTUAL TABLE")
"""Scans of no table of ours: subqueries are scanned for what was searched, and virtual tables are
JSON that a statement is given."""


def database_of(file: str) -> Database:
    return "logs" if file.startswith("log") else "journal"


@pytest.mark.parametrize("database", ["journal", "logs"])
def test_a_new_file_has_the_newest_schema(tmp_path: Path, database: Database) -> None:
    connection = open_writer(tmp_path / "new.db", database)
    assert connection.pragma("user_version") == len(migrations(database))
    assert connection.pragma("application_id") == APPLICATION_IDS[database]
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2
    assert connection.pragma("auto_vacuum") == 2
    connection.close()


def test_only_what_is_missing_is_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.db"
    open_writer(path, "journal").close()
    steps = migrations("journal")
    added = [*steps, "CREATE TABLE a (x); INSERT INTO a VALUES (1)", "CREATE TABLE b (x)"]
    monkeypatch.setattr(schema, "migrations", lambda database: added)
    for _ in range(2):
        connection = open_writer(path, "journal")
        assert connection.pragma("user_version") == len(steps) + 2
        assert connection.execute("SELECT x FROM a").fetchall() == [(1,)]
        connection.close()


def test_a_migration_that_fails_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.db"
    open_writer(path, "journal").close()
    steps = migrations("journal")
    broken = [*steps, "CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE b (x)"]
    monkeypatch.setattr(schema, "migrations", lambda database: broken)
    with pytest.raises(Exception, match="already exists"):
        open_writer(path, "journal")
    monkeypatch.setattr(schema, "migrations", lambda database: broken[:-1])
    connection = open_writer(path, "journal")
    assert connection.pragma("user_version") == len(steps) + 1
    assert connection.execute("SELECT name FROM sqlite_schema WHERE name = 'b'").fetchall() == []
    connection.close()


def test_executions_of_an_old_folder_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that were pending before there were moments of starting are admitted."""
    steps = migrations("journal")
    with monkeypatch.context() as patched:
        patched.setattr(schema, "migrations", lambda database: steps[:1])
        old = open_writer(tmp_path / "perdure.db", "journal")
    assert old.pragma("user_version") == 1
    old.execute(
        "INSERT INTO executions (key, workflow_id, workflow_version, digest, status, created_at, "
        "tags, priority) VALUES (?, 'w', '1', 'd', 'pending', 5, '{}', 0)",
        (CREATED << 21,),
    )
    old.close()
    store = open_store(tmp_path, Loop())
    id = execution_id(CREATED << 21)
    assert store.journal.pending(10) == [id]
    row = store.journal.row(id)
    assert row is not None
    assert (row.workflow_id, row.start_at) == ("w", None)
    store.close()


@pytest.mark.parametrize(("file", "name"), STATEMENTS)
def test_each_statement_fits_the_schema_and_scans_no_table(
    tmp_path: Path, file: str, name: str
) -> None:
    connection = open_writer(tmp_path / "new.db", database_of(file))
    sql = load(file)[name]
    add_functions(connection)
    numbered = [int(number) for number in re.findall(r"\?(\d+)", sql)]
    named = re.findall(r":([a-z]+)", sql)
    count = max(numbered) if numbered else sql.count("?")
    values: Any = dict.fromkeys(named) if named else (None,) * count
    plan: list[Any] = connection.execute("EXPLAIN QUERY PLAN " + sql, values).fetchall()
    steps = [step for _, _, _, step in plan]
    scans = [step for step in steps if step.startswith("SCAN") and not NO_TABLE.search(step)]
    assert not scans or "LIMIT" in sql
    assert name in SORTING or not [step for step in steps if "TEMP B-TREE" in step]
    connection.close()


def test_every_statement_is_used() -> None:
    package = Path(schema.__file__).parent
    code = "".join(path.read_text() for path in package.rglob("*.py"))
    for _, name in STATEMENTS:
        assert f'"{name}"' in code, name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1;", "before the first name"),
        ("-- name: a\nSELECT 1;", "a has no description"),
        ("-- name: a", "a has no description"),
        ("-- name: a\n-- What it does.\n", "a has no statement"),
        ("-- name: a\n-- name: b\n-- What it does.\nSELECT 1;", "a has no description"),
        ("-- name: a\n-- One.\nSELECT 1;\n-- fragment: a\n-- Two.\nx", "a is there twice"),
        ("-- name: a\n-- One.\nSELECT 1;\n-- name: a\n-- Two.\nSELECT 2;", "a is there twice"),
    ],
)
def test_a_file_in_another_form_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(text, "file.sql")


def test_a_fragment_stands_where_its_name_is() -> None:
    text = "-- name: a\n-- One.\nSELECT {b}, '{c}';\n-- fragment: b\n-- Two.\n1 + 1\n"
    assert parse(text, "file.sql") == {"a": "SELECT 1 + 1, '{c}';"}


def test_migrations_are_numbered_without_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations" / "journal"
    folder.mkdir(parents=True)
    (folder / "0001_one.sql").write_text("")
    (folder / "0003_three.sql").write_text("")
    monkeypatch.setattr(schema, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match="0002"):
        migrations("journal")
