"""Documents in files: which files they are, and what they hold.

A file that is named is taken for a document by its suffix. Of a folder, those of its own files are
that have the suffix and look like documents: projects are full of YAML and JSON that is none.
"""

import re
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from perdure.link.messages import ImportProblem
from perdure.machine.machine import Program
from perdure.ports.runtime import DOCUMENT_LIMIT_BYTES, Served
from perdure.worker.programs import Compile, Definition, Validation

SUFFIXES = (".yaml", ".yml", ".json")
_IN_YAML = re.compile(rb"""^(?:document|'document'|"document")\s*:""", re.MULTILINE)
_IN_JSON = re.compile(rb"""\A\s*\{\s*"document"\s*:|^\s*"document"\s*:""", re.MULTILINE)

Validate = Callable[[bytes], Validation]


class FileDocument:
    """A document that was loaded from a file; compiled when it is first executed."""

    def __init__(self, served: Served, body: bytes, compile_document: Compile) -> None:
        self._served = served
        self._body = body
        self._compile = compile_document
        self._program: Program | None = None

    def served(self) -> Served:
        """How it is announced."""
        return self._served

    def begin(self, inputs: bytes) -> Coroutine[Any, Any, bytes]:
        """The main branch for these inputs."""
        if self._program is None:
            self._program = self._compile(self._body)
        return self._program.begin(inputs)


class FileDocuments:
    """The documents of files, by id and version, and what could not be loaded."""

    def __init__(self, validate: Validate, compile_document: Compile) -> None:
        self._validate = validate
        self._compile = compile_document
        self._seen: set[Path] = set()
        self.files: dict[tuple[str, str], Path] = {}
        self.definitions: dict[tuple[str, str], Definition] = {}
        self.problems: list[ImportProblem] = []

    def load(self, file: Path) -> None:
        """Load a document, once; what is wrong with it becomes a problem."""
        resolved = file.resolve()
        if resolved in self._seen:
            return
        self._seen.add(resolved)
        try:
            found = self._validate(text_of(file))
        except OSError as error:
            self.refuse(file, f"it cannot be read: {error.strerror or error}")
            return
        if found.served is None or found.body is None:
            lines = [
                f"{file}:{each.line}:{each.column}: {each.location}{': ' if each.location else ''}"
                f"{each.message}"
                for each in found.problems
            ]
            self.refuse(file, "\n".join(lines) or found.failed)
            return
        served = found.served
        named = (served.workflow_id, served.version)
        if named in self.files:
            self.refuse(
                file,
                f"workflow {served.workflow_id} version {served.version} is declared twice, in "
                f"{self.files[named]} and in {resolved}: give one another name or version",
            )
            return
        self.files[named] = resolved
        self.definitions[named] = FileDocument(served, found.body, self._compile)

    def refuse(self, file: Path, detail: str) -> None:
        """Note a problem."""
        self.problems.append(ImportProblem(str(file), detail))


def text_of(file: Path) -> bytes:
    """What a file holds, up to a byte more than a document may have. Raises OSError."""
    with file.open("rb") as opened:
        return opened.read(DOCUMENT_LIMIT_BYTES + 1)


def is_document_name(path: str | Path) -> bool:
    """Whether a path has the name of a document."""
    return Path(path).suffix in SUFFIXES


def documents_in(folder: Path) -> Sequence[Path]:
    """The files of a folder that are documents, in order; none whose names begin with _ or a dot.

    Raises OSError where it cannot be read.
    """
    named = (entry for entry in sorted(folder.iterdir()) if is_document_name(entry))
    public = (entry for entry in named if not entry.name.startswith(("_", ".")))
    return [entry for entry in public if looks_like_one(entry)]


def looks_like_one(file: Path) -> bool:
    """Whether a file has what a document begins with, valid or not."""
    try:
        text = text_of(file) if file.is_file() else b""
    except OSError:
        return False
    has_document = _IN_JSON if text.lstrip().startswith(b"{") else _IN_YAML
    return b"dsl" in text and has_document.search(text) is not None
