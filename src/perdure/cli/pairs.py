"""`--tag KEY=VALUE`"""

from collections.abc import Sequence

from perdure.model.exceptions import UsageError


def tags(given: Sequence[str]) -> dict[str, str]:
    """Tags by their keys. Raises UsageError for what is no pair."""
    found = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--tag {pair!r}: a key and a value are expected, such as team=a")
        found[key] = value
    return found
