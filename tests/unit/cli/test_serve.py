"""`perdure serve`, `perdure version`, and help."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from perdure.bootstrap.settings import Settings
from perdure.cli import main
from perdure.model.exceptions import PerdureError


class FakeServer:
    """Stands in for `perdure.bootstrap.server`."""

    def __init__(self) -> None:
        self.settings: list[Settings] = []
        self.fault: BaseException | None = None
        self.code = 0

    def serve(self, settings: Settings, announce: Callable[[str], None]) -> int:
        self.settings.append(settings)
        if self.fault is not None:
            raise self.fault
        announce("perdure serves at …")
        return self.code


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeServer:
    monkeypatch.chdir(tmp_path)
    fake = FakeServer()
    module = ModuleType("perdure.bootstrap.server")
    module.serve = fake.serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "perdure.bootstrap.server", module)
    return fake


def call(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, arguments, env=dict(environ))


def test_serves_with_the_defaults(server: FakeServer) -> None:
    result = call("serve")
    assert (result.exit_code, result.stdout) == (0, "perdure serves at …\n")
    assert server.settings == [Settings()]


def test_flags_are_settings(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / "b").mkdir()
    result = call(
        "serve", "a.py", "b", "--workers", "3", "--host", "::1", "--port", "9000", "--data", "kept",
        "--no-auth", "--reload",
    )  # fmt: skip
    assert result.exit_code == 0
    assert server.settings == [
        Settings(
            paths=(Path("a.py"), Path("b")),
            workers=3,
            host="::1",
            port=9000,
            data=Path("kept"),
            no_auth=True,
            reload=True,
        )
    ]


def test_variables_and_the_file_are_settings(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "perdure.toml").write_text("workers = 5\nport = 1\nno_auth = true")
    assert call("serve", PERDURE_PORT="7000").exit_code == 0
    [settings] = server.settings
    assert (settings.workers, settings.port, settings.no_auth) == (5, 7000, True)


def test_wrong_settings_are_told_in_lines_of_their_own(server: FakeServer) -> None:
    result = call("serve", "nowhere", "--port", "x", PERDURE_WORKRS="2")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "perdure: PERDURE_WORKRS: is no variable of perdure; did you mean PERDURE_WORKERS?\n"
        "perdure: PATH: 'nowhere' does not exist; for example workflows\n"
        "perdure: --port: 'x' is no whole number from 1 to 65535; for example 8000\n"
    )
    assert server.settings == []


def test_no_auth_is_refused_where_others_reach_it(server: FakeServer) -> None:
    result = call("serve", "--no-auth", "--host", "0.0.0.0")
    assert result.exit_code == 2
    assert "perdure: --no-auth: everyone who reaches 0.0.0.0" in result.stderr
    assert server.settings == []


def test_exits_as_the_server_does(server: FakeServer) -> None:
    server.code = 1
    assert call("serve").exit_code == 1


def test_a_refusal_of_the_server_is_one_line(server: FakeServer) -> None:
    server.fault = PerdureError("another server uses the data folder")
    result = call("serve")
    assert (result.exit_code, result.stderr) == (
        2,
        "perdure: another server uses the data folder\n",
    )


def test_ctrl_c_is_no_error(server: FakeServer) -> None:
    server.fault = KeyboardInterrupt()
    result = call("serve")
    assert (result.exit_code, result.output) == (130, "")


@pytest.mark.parametrize("arguments", [["serve", "--prot", "1"], ["sreve"], ["serve", "--port"]])
def test_a_slip_is_a_wrong_usage(arguments: list[str]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_tells_its_version(arguments: list[str]) -> None:
    assert call(*arguments).stdout.startswith("perdure 0.")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_the_commands(flag: str) -> None:
    result = call(flag)
    assert result.exit_code == 0
    for command in ("serve", "run", "version"):
        assert f"\n  {command} " in result.stdout
        assert call(command, flag).exit_code == 0
