"""Documents that are invalid, each with all that is said of it; kept in invalid.yaml.

``python -m tests.conformance.invalid`` writes what is said now into the file: read each message as
somebody who has to act on it before it is committed.
"""

from pathlib import Path
from typing import Any

import yaml

from perdure.openworkflow.validation import validate

FILE = Path(__file__).with_name("invalid.yaml")

_HEAD = """\
# Documents that are invalid, each with all that is said of it: line:column location: message.
# python -m tests.conformance.invalid writes what is said now.

"""


def cases() -> list[dict[str, Any]]:
    """The cases: `name`, `document` and its `findings`."""
    found: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())
    return found


def said(document: str) -> list[str]:
    """What is said of a document, a finding a line."""
    return [
        f"{f.line}:{f.column} {f.location or '/'}: {f.message}"
        for f in validate(document.encode()).findings
    ]


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and indents lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and "\t" not in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def main() -> None:
    """Write what is said now."""
    entries = [
        yaml.dump(
            [{**case, "findings": said(case["document"])}],
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=1_000,
        )
        for case in cases()
    ]
    FILE.write_text(_HEAD + "\n".join(entries))


if __name__ == "__main__":
    main()
