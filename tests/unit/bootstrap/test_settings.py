"""Settings: where they come from, which one counts, and how a wrong one is told."""

import os
from pathlib import Path
from typing import Any

import pytest

from perdure.bootstrap.settings import SETTINGS, Settings, SettingsError, read_settings

MB = 1024 * 1024


def read(
    folder: Path,
    flags: dict[str, Any] | None = None,
    environ: dict[str, str] | None = None,
    toml: str | None = None,
) -> Settings:
    if toml is not None:
        (folder / "perdure.toml").write_text(toml, encoding="utf-8")
    return read_settings(flags or {}, environ or {}, folder)


def problems(folder: Path, **given: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(folder, **given)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return list(caught.value.problems)


def test_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path) == Settings()
    assert Settings() == Settings(
        paths=(),
        host="127.0.0.1",
        port=8000,
        data=Path("perdure-data"),
        workers=1,
        cancel_grace_ms=10_000,
        cleanup_timeout_ms=300_000,
        shutdown_grace_ms=30_000,
        idempotency_ttl_ms=86_400_000,
        log_quota_bytes=10 * MB,
        max_running=1000,
        max_pending=100_000,
        no_auth=False,
        egress_allow=(),
        admin_key=None,
    )


def test_flags_count_before_variables_and_those_before_the_file(tmp_path: Path) -> None:
    toml = "port = 1\nworkers = 1\nmax_running = 1"
    environ = {"PERDURE_PORT": "2", "PERDURE_WORKERS": "2"}
    settings = read(tmp_path, {"port": "3", "workers": None}, environ, toml)
    assert (settings.port, settings.workers, settings.max_running) == (3, 2, 1)


def test_every_setting_may_be_a_variable(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    settings = read(
        tmp_path,
        environ={
            "PERDURE_PATHS": os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]),
            "PERDURE_HOST": "::1",
            "PERDURE_PORT": "9000",
            "PERDURE_DATA": "/var/lib/perdure",
            "PERDURE_WORKERS": "4",
            "PERDURE_CANCEL_GRACE": "500ms",
            "PERDURE_CLEANUP_TIMEOUT": "PT1H",
            "PERDURE_SHUTDOWN_GRACE": "0s",
            "PERDURE_IDEMPOTENCY_TTL": "7d",
            "PERDURE_LOG_QUOTA": "1GB",
            "PERDURE_MAX_RUNNING": "5",
            "PERDURE_MAX_PENDING": "6",
            "PERDURE_NO_AUTH": "yes",
            "PERDURE_EGRESS_ALLOW": "localhost:8080, 10.0.0.0/8,[::1]:9",
            "PERDURE_ADMIN_KEY": "prd_secret",
            "PERDURE_SECRET_GITHUB": "anything",
            "HOME": "/home/me",
        },
    )
    assert settings == Settings(
        paths=(tmp_path / "a", tmp_path / "b"),
        host="::1",
        port=9000,
        data=Path("/var/lib/perdure"),
        workers=4,
        cancel_grace_ms=500,
        cleanup_timeout_ms=3_600_000,
        shutdown_grace_ms=0,
        idempotency_ttl_ms=604_800_000,
        log_quota_bytes=1024 * MB,
        max_running=5,
        max_pending=6,
        no_auth=True,
        egress_allow=("localhost:8080", "10.0.0.0/8", "[::1]:9"),
        admin_key="prd_secret",
    )
    assert {setting.field for setting in SETTINGS.values()} == set(Settings.__dataclass_fields__)


def test_the_file_has_numbers_and_truths_and_paths_of_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    toml = 'paths = ["flows"]\ndata = "kept"\nport = 9000\nno_auth = true\nlog_quota = 2048'
    settings = read(tmp_path, toml=toml)
    assert settings.paths == (tmp_path / "flows",)
    assert settings.data == tmp_path / "kept"
    assert (settings.port, settings.no_auth, settings.log_quota_bytes) == (9000, True, 2048)


def test_the_file_may_list_where_calls_may_go(tmp_path: Path) -> None:
    assert read(tmp_path, toml='egress_allow = ["::1", "x:1"]').egress_allow == ("::1", "x:1")
    [problem] = problems(tmp_path, toml="egress_allow = [1]")
    assert "is no list of hosts and networks" in problem


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert read(tmp_path, environ={"PERDURE_ADMIN_KEY": "", "PERDURE_PORT": ""}) == Settings()


def test_what_is_overridden_may_be_wrong(tmp_path: Path) -> None:
    assert read(tmp_path, {"port": "1"}, {"PERDURE_PORT": "nonsense"}).port == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "0", "'0' is no whole number from 1 to 65535; for example 8000"),
        ("port", "65536", "'65536' is no whole number from 1 to 65535; for example 8000"),
        ("port", "http", "'http' is no whole number from 1 to 65535; for example 8000"),
        ("port", "1.5", "'1.5' is no whole number from 1 to 65535; for example 8000"),
        ("port", "\u0665", "'\u0665' is no whole number from 1 to 65535; for example 8000"),
        ("workers", "257", "'257' is no whole number from 1 to 256; for example 2"),
        ("cancel_grace", "10", "'10' is no duration with a unit (ms, s, m, h, d); for example 10s"),
        ("cleanup_timeout", "0s", "'0s' is too short; for example 5m"),
        ("idempotency_ttl", "999ms", "'999ms' is too short; for example 24h"),
        ("log_quota", "10TB", "'10TB' is no size (B, KB, MB, GB); for example 10MB"),
        ("log_quota", "10", "'10' is less than 1024 bytes; for example 10MB"),
        ("no_auth", "maybe", "'maybe' is neither true nor false; for example true"),
        (
            "egress_allow",
            "10.0.0.0/8,http://x",
            "'10.0.0.0/8,http://x' has an entry that cannot be used: 'http://x' is neither a host "
            "nor a network, with or without a port; for example 10.0.0.0/8,db.internal:8080",
        ),
        ("host", "a b", "'a b' is no host name or address; for example 127.0.0.1"),
        ("data", "\0", "'\\x00' is no path; for example perdure-data"),
        ("paths", "no/such", "'no/such' does not exist; for example workflows"),
    ],
)
def test_a_wrong_variable_is_told_with_an_example(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    variable = f"PERDURE_{name.upper()}"
    assert problems(tmp_path, environ={variable: value}) == [f"{variable}: {said}"]


def test_a_wrong_flag_and_a_wrong_key_are_told_where_they_are(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        flags={"port": "x", "paths": ("no/such",)},
        toml='workers = "many"\nno_auth = 1\ndata = 5\npaths = [7]\nlog_quota = true\nhost = []',
    )
    file = tmp_path / "perdure.toml"
    assert found == [
        f"{file}, workers: 'many' is no whole number from 1 to 256; for example 2",
        f"{file}, no_auth: 1 is neither true nor false; for example true",
        f"{file}, data: 5 is no path; for example perdure-data",
        "PATH: 'no/such' does not exist; for example workflows",
        f"{file}, log_quota: True is no size (B, KB, MB, GB); for example 10MB",
        f"{file}, host: is no host name or address; for example 127.0.0.1",
        "--port: 'x' is no whole number from 1 to 65535; for example 8000",
    ]


def test_a_key_is_not_repeated(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, environ={"PERDURE_ADMIN_KEY": "my secret"})
    assert problem.startswith("PERDURE_ADMIN_KEY: the key has to be")
    assert "my secret" not in problem
    assert "hidden" not in repr(Settings(admin_key="hidden"))


def test_an_unknown_variable_is_told_with_the_nearest(tmp_path: Path) -> None:
    assert problems(tmp_path, environ={"PERDURE_WORKER": "2"}) == [
        "PERDURE_WORKER: is no variable of perdure; did you mean PERDURE_WORKERS?"
    ]
    [problem] = problems(tmp_path, environ={"PERDURE_XYZZY_123": "2"})
    assert "there are PERDURE_PATHS, PERDURE_HOST" in problem


def test_an_unknown_key_is_told_with_the_nearest(tmp_path: Path) -> None:
    assert problems(tmp_path, toml="max_runing = 2") == [
        f"{tmp_path / 'perdure.toml'}, max_runing: is no setting; did you mean max_running?"
    ]


@pytest.mark.parametrize("content", [b"port = ", b"\xff", b"port = 1\nport = 2"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "perdure.toml").write_bytes(content)
    [problem] = problems(tmp_path)
    assert problem.startswith(f"{tmp_path / 'perdure.toml'}: cannot be read: ")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_no_authentication_on_loopback(tmp_path: Path, host: str) -> None:
    assert read(tmp_path, {"no_auth": True, "host": host}).no_auth


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.org"])
def test_no_authentication_is_refused_elsewhere(tmp_path: Path, host: str) -> None:
    [problem] = problems(tmp_path, flags={"no_auth": True}, environ={"PERDURE_HOST": host})
    assert problem.startswith(f"--no-auth: everyone who reaches {host} could do everything")
    assert read(tmp_path, {"no_auth": False}, {"PERDURE_HOST": host}).host == host
