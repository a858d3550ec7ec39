"""Masks: what is confidential shows in no form."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.calls.masking import HIDDEN, Mask

SECRET = 'p"ä s/w+o%rd'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        SECRET.upper(),
        quote(SECRET).lower(),
    ],
)
def test_a_secret_is_hidden_in_all_its_forms(form: str) -> None:
    mask = Mask([SECRET])
    assert mask.finds_in(f"a{form}b")
    assert mask.hide(f"a{form}b{form}") == f"a{HIDDEN}b{HIDDEN}"
    assert not mask.finds_in("password")


def test_what_is_too_short_to_be_a_secret_hides_nothing() -> None:
    mask = Mask(["", "a", "ab"])
    assert mask.hide("abc") == "abc"
    assert not mask.finds_in("abc")


TEXTS = st.text("abc/ %äö\"'\\", min_size=3, max_size=6)


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
def test_none_is_left_however_they_overlap(secrets: list[str], others: list[str]) -> None:
    mask = Mask(secrets)
    hidden = mask.hide("".join([*secrets, *others, *secrets]))
    assert not any(secret in hidden for secret in secrets)


@given(TEXTS)
def test_without_secrets_nothing_is_hidden(text: str) -> None:
    assert Mask([]).hide(text) == text
