"""Loading: from paths to the workflows that they hold, and from a reference to its task.

A module that cannot be imported, or that declares something wrongly, is a problem of its own; the
others load all the same.
"""

import importlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from perdure.authoring.modules import files_in, import_file, import_name, reason
from perdure.authoring.task import Task
from perdure.authoring.workflow import Workflow
from perdure.model.exceptions import DefinitionError

AnyWorkflow = Workflow[Any, Any]

_DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_HINT = """write, for example:

    from perdure import workflow

    @workflow
    async def hello(name: str) -> str:
        return f"Hello, {name}!"
"""


class LoadProblem(NamedTuple):
    """What could not be loaded, and why, with file and line."""

    path: str
    detail: str


class Catalog:
    """The workflows that paths hold, by id and version, and what could not be loaded."""

    def __init__(self) -> None:
        self.workflows: dict[tuple[str, str], AnyWorkflow] = {}
        self.problems: list[LoadProblem] = []

    def add(self, workflow: AnyWorkflow, path: str) -> None:
        """Add a workflow; it is a problem where its id and version are taken.

        The same function found again, in a module that imports it, is the same workflow.
        """
        known = self.workflows.setdefault((workflow.id, workflow.version), workflow)
        if known.place != workflow.place:
            self.refuse(
                path,
                f"workflow {workflow.id} version {workflow.version} is declared twice, at "
                f"{known.place} and at {workflow.place}: give one another id or version",
            )

    def refuse(self, path: str, detail: str) -> None:
        """Note a problem."""
        self.problems.append(LoadProblem(path, detail))


def load(paths: Sequence[str | Path], *, with_documents: Collection[str] = ()) -> Catalog:
    """Load Python files, folders of them, and modules by dotted name.

    Of a folder: its files, but those that begin with ``_``, and its packages; of a package, its
    subpackages too. Those `with_documents` need not have Python workflows as well. Does not raise:
    what went wrong is in `Catalog.problems`.
    """
    catalog = Catalog()
    importlib.invalidate_caches()
    for path in map(str, paths):
        try:
            loaded = [_load_module(catalog, module) for module in _modules_of(path)]
        except DefinitionError as error:
            catalog.refuse(path, str(error))
        else:
            if not any(loaded) and path not in with_documents:
                catalog.refuse(path, f"no workflow found; {_HINT}")
    if not paths:
        catalog.refuse("", f"nothing to load: name a file or a folder; {_HINT}")
    return catalog


def resolve(reference: str) -> Task[..., Any]:
    """The task that `Task.reference` names, in this process.

    Raises DefinitionError where there is none, and whatever importing its module raises.
    """
    where, _, name = reference.rpartition(":")
    module = import_file(Path(where)) if where.endswith(".py") else import_name(where)
    for value in vars(module).values():
        if isinstance(value, Task) and value.reference == reference:
            return value
    raise DefinitionError(f"there is no task {name} in {where}")


def _modules_of(path: str) -> list[str]:
    """The modules that a path stands for: files, or the path itself as a dotted name."""
    location = Path(path)
    if location.is_dir():
        return [str(file) for file in files_in(location.resolve())]
    if location.is_file() and location.suffix != ".py":
        raise DefinitionError(
            "it is neither a Python file nor a document: its name has to end in .py, .yaml, .yml "
            "or .json"
        )
    if location.is_file() or (location.suffix != ".py" and _DOTTED_NAME.fullmatch(path)):
        return [path]
    raise DefinitionError("there is no such file or folder")


def _load_module(catalog: Catalog, path: str) -> bool:
    """Load a module's workflows; whether it has any, or is a problem."""
    file = Path(path).resolve() if path.endswith(".py") else None
    try:
        module = import_name(path) if file is None else import_file(file)
        workflows = _declared_in(module)
    except (Exception, SystemExit) as error:
        catalog.refuse(path, reason(error, file))
        return True
    for workflow in workflows:
        catalog.add(workflow, path)
    return bool(workflows)


def _declared_in(module: ModuleType) -> list[AnyWorkflow]:
    """The workflows among a module's names. Raises DefinitionError for what cannot work."""
    workflows = []
    for value in tuple(vars(module).values()):
        if not isinstance(value, Task | Workflow):
            continue
        try:
            value.signature.prepare()
        except DefinitionError as error:
            raise DefinitionError(f"{value.place}: {error}") from None
        if isinstance(value, Workflow):
            workflows.append(value)
    return workflows
