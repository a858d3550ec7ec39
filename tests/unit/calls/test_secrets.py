"""Secrets: which variable has them, what they become, and what is said where there is none."""

import pytest

from perdure.calls.secrets import EnvironmentSecrets
from perdure.model.exceptions import FailedError

ENVIRON = {
    "PERDURE_SECRET_PLAIN": "text",
    "PERDURE_SECRET_GITHUB_TOKEN": "ghp",
    "PERDURE_SECRET_LOGIN": '{"username": "me", "password": "pw"}',
    "PERDURE_SECRET_NUMBER": "123",
    "PERDURE_SECRET_LIST": "[1]",
    "PERDURE_SECRET_BROKEN": '{"a": ',
    "PERDURE_SECRET_DEEP": "[" * 100_000,
    "PERDURE_SECRET_EMPTY": "",
    "PERDURE_ADMIN_KEY": "prd_x",
    "HOME": "/home/me",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plain", "text"),
        ("PLAIN", "text"),
        ("github-token", "ghp"),
        ("github.token", "ghp"),
        ("githubToken", None),
        ("login", {"username": "me", "password": "pw"}),
        ("number", "123"),
        ("list", "[1]"),
        ("broken", '{"a": '),
        ("deep", "[" * 100_000),
        ("empty", None),
        ("home", None),
        ("", None),
        ("../x", None),
        ("PLAIN\n", None),
    ],
)
def test_secrets_are_variables(name: str, value: object) -> None:
    secrets = EnvironmentSecrets(ENVIRON)
    if value is not None:
        assert secrets.get(name) == value
        return
    with pytest.raises(FailedError) as caught:
        secrets.get(name)
    assert caught.value.failure.type.endswith("/errors/authorization")
    assert caught.value.failure.status == 403


def test_what_is_missing_is_named() -> None:
    with pytest.raises(FailedError, match="set PERDURE_SECRET_MY_KEY in the environment"):
        EnvironmentSecrets({}).get("my-key")
