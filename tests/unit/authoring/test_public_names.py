import subprocess
import sys

import pytest

import perdure

OF_THE_CLIENT = {
    "AddressError",
    "ApiError",
    "Client",
    "ClientError",
    "ConflictError",
    "ExecutionCancelledError",
    "ExecutionEndedError",
    "ExecutionFailedError",
    "NotFoundError",
    "NotReachableError",
    "RefusedInputError",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswerError",
}
PUBLIC = {
    "Cancelled",
    "ChildFailedError",
    "ChildHandle",
    "DefinitionError",
    "EncodingError",
    "FailedError",
    "Failure",
    "PerdureError",
    "RaisedError",
    "Retry",
    "Task",
    "TaskContext",
    "TaskFailedError",
    "TaskTimedOutError",
    "UsageError",
    "WaitTimedOutError",
    "Workflow",
    "continue_as_new",
    "current_task",
    "gather",
    "now",
    "patched",
    "random",
    "run_workflow",
    "sleep",
    "sleep_until",
    "start_workflow",
    "task",
    "uuid4",
    "wait_for_event",
    "workflow",
} | OF_THE_CLIENT


def test_the_public_names_are_these() -> None:
    assert set(perdure.__all__) == PUBLIC
    assert all(hasattr(perdure, name) for name in PUBLIC)
    assert perdure.__all__ == sorted(perdure.__all__)


def test_every_public_name_is_described() -> None:
    assert [name for name in PUBLIC if not getattr(perdure, name).__doc__] == []


def test_what_belongs_to_the_client_is_imported_on_use() -> None:
    assert {name for name in OF_THE_CLIENT if name not in dir(perdure)} == set()
    with pytest.raises(AttributeError, match="no attribute 'Cleint'"):
        perdure.__getattr__("Cleint")


def test_importing_the_names_imports_no_server() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", "import sys, perdure; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    modules = set(printed.stdout.split())
    heavy = {
        "asyncio",
        "apsw",
        "starlette",
        "granian",
        "jsonschema_rs",
        "pydantic",
        "sqlite3",
        "httpx",
    }
    assert not modules & heavy
    ours = {name.split(".")[1] for name in modules if name.startswith("perdure.")}
    assert ours == {"authoring", "machine", "model", "ports"}
