"""Loading what paths hold: Python workflows, documents, and folders of both."""

from collections.abc import Sequence
from pathlib import Path

from perdure.authoring import loading as python
from perdure.bootstrap.document_files import (
    FileDocuments,
    Validate,
    documents_in,
    is_document_name,
)
from perdure.link.messages import ImportProblem
from perdure.worker.catalog import Loaded
from perdure.worker.programs import Compile, Definition


def load(paths: Sequence[str], validate: Validate, compile_document: Compile) -> Loaded:
    """Load what paths hold. What cannot be loaded is a problem, and is told.

    No paths hold nothing, which is no problem: documents can be registered.
    """
    if not paths:
        return Loaded({})
    documents = FileDocuments(validate, compile_document)
    others, mixed = [], []
    for path in paths:
        place = Path(path)
        if is_document_name(place) and not place.is_dir():
            if place.is_file():
                documents.load(place)
            else:
                documents.refuse(place, "there is no such file or folder")
            continue
        others.append(path)
        found = _documents_of(place)
        mixed += [path] if found else []
        for file in found:
            documents.load(file)
    catalog = python.load(others, with_documents=mixed) if others else python.Catalog()
    problems = [ImportProblem(each.path, each.detail) for each in catalog.problems]
    programs: dict[tuple[str, str], Definition] = {**catalog.workflows}
    for named, definition in documents.definitions.items():
        if named in programs:
            workflow_id, version = named
            documents.refuse(
                documents.files[named],
                f"workflow {workflow_id} version {version} is declared twice, here and at "
                f"{catalog.workflows[named].place}: give one another name or version",
            )
        else:
            programs[named] = definition
    return Loaded(programs, [*problems, *documents.problems])


def _documents_of(place: Path) -> Sequence[Path]:
    try:
        return documents_in(place) if place.is_dir() else ()
    except OSError:
        return ()
