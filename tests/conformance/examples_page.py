"""The page of the documentation that says what becomes of each example: made from the tests' data.

``python -m tests.conformance.examples_page > docs/examples.md`` writes it anew.
"""

import sys

from tests.conformance.examples import EXAMPLES

_HEAD = """\
# The specification's examples

What perdure makes of each of the 68 examples of the Open Workflow Specification, and why. \
`tests/conformance/test_examples.py` holds it: every example is registered over HTTP, and those \
whose tasks are executed are, with stand-ins on loopback for the hosts that they call. Of the \
documents only the addresses of endpoints are changed, and the namespaces, since several have the \
same name and version. Waits, and what a schedule would start with an event, run in virtual time.

This page is made by `python -m tests.conformance.examples_page`.

| example | what happens | why |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    rows = []
    for example in EXAMPLES:
        name = example.file.removesuffix(".yaml")
        rows.append(f"| `{name}` | {example.happens} | {example.why} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(page())
