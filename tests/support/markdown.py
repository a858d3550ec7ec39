"""The fenced blocks of the documentation, as tests read them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"(?P<fence>`{3,})(?P<language>\S*) *(?P<title>.*)")


@dataclass(frozen=True)
class Block:
    """A fenced block. `title` is what stands behind the language, such as the name of a file."""

    page: Path
    line: int
    """That of its first line of text, counted from 1."""
    language: str
    title: str
    text: str

    @property
    def place(self) -> str:
        """Where it is, as ``docs/tutorial.md:12``."""
        page = self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page
        return f"{page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order. Raises ValueError for one that is not closed."""
    found: list[Block] = []
    opened: re.Match[str] | None = None
    first, text = 0, ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if opened is None:
            opened = _FENCE.fullmatch(line)
            first, text = number + 1, ""
        elif line.startswith(opened["fence"]):
            found.append(Block(page, first, opened["language"], opened["title"], text))
            opened = None
        else:
            text += line + "\n"
    if opened is not None:
        raise ValueError(f"{page}:{first - 1}: the block is not closed")
    return found


def pages() -> list[Path]:
    """Every page of the documentation, the README first."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def table(page: Path, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head; cells are bare text."""
    lines = page.read_text(encoding="utf-8").splitlines()
    rows: list[list[str]] = []
    for line in lines[lines.index(heading) + 1 :]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]
