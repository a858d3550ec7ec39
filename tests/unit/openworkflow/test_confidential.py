"""What calls are told is confidential: the texts of the secrets that they are made with."""

from perdure.openworkflow.requests import strings_in, texts_in
from tests.support.documents import DocumentRun, Response

URI = "https://example.com/"
SECRETS = {"key": "hush", "login": {"user": "me", "deep": [{"pin": 1234}], "on": True, "no": None}}


def test_the_texts_of_a_value() -> None:
    assert list(texts_in(SECRETS)) == ["hush", "me", "1234"]
    assert list(texts_in(None)) == []
    assert list(strings_in(SECRETS)) == ["hush", "me"]


def run(headers: dict[str, str]) -> DocumentRun:
    document = {
        "use": {"secrets": list(SECRETS)},
        "do": [
            {
                "get": {
                    "call": "http",
                    "with": {"method": "get", "endpoint": URI, "headers": headers},
                }
            }
        ],
    }
    return DocumentRun(document, responses={URI: [Response()]}, secrets=SECRETS).run()


def test_a_call_that_mentions_secrets_is_told_what_they_are() -> None:
    (request,) = run({"X-Key": "${ $secrets.key }"}).calls.requests
    assert request.headers == {"X-Key": "hush"}
    assert request.confidential == ("hush", "me", "1234")


def test_a_call_that_mentions_none_knows_of_none() -> None:
    (request,) = run({"X-Key": "plain"}).calls.requests
    assert request.confidential == ()


def test_what_is_made_with_secrets_is_confidential_too() -> None:
    """A secret in base64, say, is not found by the secret itself."""
    headers = {"X-Pair": '${ "me:" + $secrets.key | @base64 }', "X-Plain": "${ .x }", "A": "b"}
    (request,) = run(headers).calls.requests
    assert request.headers["X-Pair"] == "bWU6aHVzaA=="
    assert request.confidential == ("hush", "me", "1234", "bWU6aHVzaA==")
