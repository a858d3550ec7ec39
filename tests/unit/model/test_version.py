import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.model.version import version_key


@pytest.mark.parametrize(
    "ascending",
    [
        ["1", "2", "10"],
        ["0.9", "0.10", "1"],
        ["1", "1.0.1", "v1.2", "1.10.0"],
        ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11"],
        ["2.0.0-rc.1", "1.9.0", "2.0.0"],
        ["main", "nightly", "0.0.1-dev", "0.0.1"],
        ["", "a" * 100, "0"],
        ["1.0.0-" + "9" * 5_000, "1.0.0"],
    ],
)
def test_versions_are_ordered(ascending: list[str]) -> None:
    shuffled = random.Random(1).sample(ascending, len(ascending))
    assert sorted(shuffled, key=version_key) == ascending


@given(st.lists(st.text(alphabet="019.-+vab", max_size=8), unique=True))
def test_any_texts_have_one_order(versions: list[str]) -> None:
    keys = sorted(map(version_key, versions))
    assert len(set(keys)) == len(versions)
