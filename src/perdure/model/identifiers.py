"""Ids of executions and workflows. Execution ids are ``exec-`` and 13 characters, by creation.

The characters are a 63-bit number in base32hex (RFC 4648, section 7, in lower case): the
millisecond of creation above, 21 random bits below. The number is the key in the store.
"""

import re

PREFIX = "exec-"
RANDOM_BITS = 21
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]

EXECUTION_ID = f"{PREFIX}[0-7][0-9a-v]{{12}}"
"""The pattern of execution ids; the first digit keeps the number within 63 bits."""
WORKFLOW_ID = "[A-Za-z0-9._-]{1,128}"
"""The pattern of workflow ids."""
_ID = re.compile(EXECUTION_ID)


def execution_id(key: int) -> str:
    """The id of the execution with this key."""
    return (
        f"{PREFIX}{_DIGITS[key >> 60]}{_PAIRS[key >> 50 & 1023]}{_PAIRS[key >> 40 & 1023]}"
        f"{_PAIRS[key >> 30 & 1023]}{_PAIRS[key >> 20 & 1023]}{_PAIRS[key >> 10 & 1023]}"
        f"{_PAIRS[key & 1023]}"
    )


def execution_key(text: str) -> int | None:
    """The key of an execution id, or None where the text is none."""
    if _ID.fullmatch(text) is None:
        return None
    return int(text[len(PREFIX) :], 32)


def created_ms(execution_id: str) -> int:
    """When the execution with this id was created, in milliseconds since 1970."""
    return int(execution_id[len(PREFIX) :], 32) >> RANDOM_BITS


def next_key(last: int, now_ms: int, random_bits: int) -> int:
    """A key for an execution created at `now_ms`, higher than `last` also if the clock went back.

    `random_bits` (RANDOM_BITS of them) keep ids of the same millisecond from being guessed easily.
    """
    fresh = now_ms << RANDOM_BITS | random_bits
    return fresh if fresh > last else last + 1 + (random_bits & 0xFF)
