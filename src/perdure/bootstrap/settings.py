"""Settings: from flags, then `PERDURE_*` variables, then `perdure.toml`, then the defaults.

`SETTINGS` is the one table of them. A setting `cancel_grace` is the variable
`PERDURE_CANCEL_GRACE`, the key `cancel_grace` in the file, and, where the command has it, the flag
`--cancel-grace`. What is wrong is said all at once, each with where it was set and an example; a
name that is no setting is an error, so that a slip of the keyboard does not go unnoticed.
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from perdure.bootstrap import formats
from perdure.calls.secrets import PREFIX as SECRET_PREFIX
from perdure.model.exceptions import PerdureError

FILE_NAME = "perdure.toml"
PREFIX = "PERDURE_"
OF_CLIENTS = frozenset({"PERDURE_URL", "PERDURE_TOKEN"})
"""Variables that tell clients where a server is; they may be set where one is started, too."""

MB = 1024 * 1024

_SHOWN = str | int | float
"""Values that errors repeat; what is wrong with a longer one says its error."""


class SettingsError(PerdureError):
    """Settings that cannot be used; `problems` has a line for each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a server is told. Lengths of time are in milliseconds.

    `workers` are processes; `cancel_grace_ms` is how long a cancelled task may take to stop,
    `cleanup_timeout_ms` how long cleanup code, `shutdown_grace_ms` how long tasks at an orderly
    stop; `idempotency_ttl_ms` is how long an Idempotency-Key stands for the execution that it has
    started; `log_quota_bytes` is the log kept of one execution; `max_running` are executions with
    work in a worker, `max_pending` those that queue. `reload` is whether edits take effect while it
    serves. `egress_allow` are hosts and networks that calls may reach although they are not public.
    `admin_key` is None where it was not set.
    """

    paths: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    data: Path = Path("perdure-data")
    workers: int = 1
    cancel_grace_ms: int = 10_000
    cleanup_timeout_ms: int = 300_000
    shutdown_grace_ms: int = 30_000
    idempotency_ttl_ms: int = 86_400_000
    log_quota_bytes: int = 10 * MB
    max_running: int = 1_000
    max_pending: int = 100_000
    no_auth: bool = False
    reload: bool = False
    egress_allow: tuple[str, ...] = ()
    admin_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Setting:
    """One setting: the field that it fills, how its text is read, and what it may look like.

    `read` raises ValueError, saying what is wrong. What is `secret` is not repeated in errors.
    """

    name: str
    field: str
    read: Callable[[Any], Any]
    example: str
    secret: bool = False


SETTINGS: Mapping[str, Setting] = {
    each.name: each
    for each in (
        Setting("paths", "paths", formats.paths, "workflows"),
        Setting("host", "host", formats.host, "127.0.0.1"),
        Setting("port", "port", formats.whole(1, 65_535), "8000"),
        Setting("data", "data", formats.path, "perdure-data"),
        Setting("workers", "workers", formats.whole(1, 256), "2"),
        Setting("cancel_grace", "cancel_grace_ms", formats.duration(0), "10s"),
        Setting("cleanup_timeout", "cleanup_timeout_ms", formats.duration(1), "5m"),
        Setting("shutdown_grace", "shutdown_grace_ms", formats.duration(0), "30s"),
        Setting("idempotency_ttl", "idempotency_ttl_ms", formats.duration(1_000), "24h"),
        Setting("log_quota", "log_quota_bytes", formats.size(1024), "10MB"),
        Setting("max_running", "max_running", formats.whole(1, 1_000_000), "1000"),
        Setting("max_pending", "max_pending", formats.whole(1, 10_000_000), "100000"),
        Setting("no_auth", "no_auth", formats.switch, "true"),
        Setting("reload", "reload", formats.switch, "true"),
        Setting("egress_allow", "egress_allow", formats.egress, "10.0.0.0/8,db.internal:8080"),
        Setting("admin_key", "admin_key", formats.key, "prd_…", secret=True),
    )
}
"""Every setting, by its name."""


def read_settings(flags: Mapping[str, Any], environ: Mapping[str, str], folder: Path) -> Settings:
    """The settings that hold here; a SettingsError says everything that is wrong.

    `flags` are those of the command line by the names of settings, None where one is not given;
    `perdure.toml` is looked for in `folder`. An empty variable counts as not set.
    """
    problems: list[str] = []
    given: dict[str, tuple[str, Any]] = {}
    for source in (
        _from_file(folder / FILE_NAME, problems),
        _from_environment(environ, problems),
        _from_flags(flags),
    ):
        given.update((name, (where, value)) for name, where, value in source)
    values = {}
    for name, (where, value) in given.items():
        setting = SETTINGS[name]
        try:
            values[setting.field] = setting.read(value)
        except ValueError as error:
            shown = "" if setting.secret or not isinstance(value, _SHOWN) else f"{value!r} "
            problems.append(f"{where}: {shown}{error}; for example {setting.example}")
    settings = Settings(**values)
    if settings.no_auth and not formats.is_loopback(settings.host):
        where = given["no_auth"][0]
        problems.append(
            f"{where}: everyone who reaches {settings.host} could do everything; without "
            "authentication the host has to be a loopback address; for example 127.0.0.1"
        )
    if problems:
        raise SettingsError(*problems)
    return settings


_Given = Iterator[tuple[str, str, Any]]


def _from_flags(flags: Mapping[str, Any]) -> _Given:
    for name, value in flags.items():
        if value is not None:
            where = "PATH" if name == "paths" else "--" + name.replace("_", "-")
            yield name, where, value


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> _Given:
    variables = {PREFIX + name.upper(): name for name in SETTINGS}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in OF_CLIENTS:
            continue
        if variable.startswith(SECRET_PREFIX):
            continue
        name = variables.get(variable)
        if name is None:
            problems.append(f"{variable}: is no variable of perdure{_nearest(variable, variables)}")
        elif text:
            yield name, variable, text.split(os.pathsep) if name == "paths" else text


def _from_file(file: Path, problems: list[str]) -> _Given:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        problems.append(f"{file}: cannot be read: {error}")
        return
    for name, value in content.items():
        where = f"{file}, {name}"
        if name not in SETTINGS:
            problems.append(f"{where}: is no setting{_nearest(name, SETTINGS)}")
        elif name == "paths":
            listed = value if isinstance(value, list) else [value]
            yield name, where, [_below(file.parent, each) for each in listed]
        else:
            yield name, where, _below(file.parent, value) if name == "data" else value


def _below(folder: Path, path: Any) -> Any:
    return str(folder / path) if isinstance(path, str) else path


def _nearest(name: str, names: Mapping[str, Any]) -> str:
    near = get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
