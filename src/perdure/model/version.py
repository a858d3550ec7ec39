"""Versions of workflows: which one counts as the highest.

Numbered versions (``1``, ``2.10``, ``v1.4.2``) compare number by number, and pre-releases
(``2.0.0-rc.1``) as in Semantic Versioning 2.0.0, section 11, except that every release is higher
than any pre-release: the highest version is a release wherever there is one. Other texts compare
as texts, and are lower than all numbered versions.
"""

import re

_NUMBERED = re.compile(
    r"v?(?P<numbers>\d{1,18}(?:\.\d{1,18})*)(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_LONGEST_NUMBER = 18

VersionKey = tuple[int, tuple[int, ...], tuple[tuple[bool, int, str], ...], str]

_TEXT, _PRE_RELEASE, _RELEASE = range(3)


def version_key(version: str) -> VersionKey:
    """What versions are ordered by; equal only for equal texts."""
    match = _NUMBERED.fullmatch(version)
    if match is None:
        return (_TEXT, (), (), version)
    numbers = [int(number) for number in match["numbers"].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    if match["pre"] is None:
        return (_RELEASE, tuple(numbers), (), version)
    parts = tuple(
        (False, int(part), "")
        if part.isdecimal() and len(part) <= _LONGEST_NUMBER
        else (True, 0, part)
        for part in match["pre"].split(".")
    )
    return (_PRE_RELEASE, tuple(numbers), parts, version)
