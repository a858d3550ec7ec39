"""Importing modules by file: of packages by their name, single files without shadowing others.

A file in a package is imported as ``package.module``, with the package's parent on `sys.path`.
A single file is imported under its own name where that is free, so that its neighbours can import
it, else under a name made from its path: a file called ``json.py`` shadows nothing. Folders are
put at the end of `sys.path`, for the same reason.
"""

import hashlib
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from perdure.model.exceptions import DefinitionError

_PERDURE = Path(__file__).resolve().parents[1]
_NOT_IN_NAMES = re.compile(r"\W+")


def import_file(path: Path) -> ModuleType:
    """The module of a Python file, imported once.

    Raises whatever the module raises, and DefinitionError where its package's name is taken.
    """
    path = path.resolve()
    root = _package_root(path)
    if root is None:
        _reachable(path.parent)
        if _file_of(path.stem) == path:
            return importlib.import_module(path.stem)
        return _import_unnamed(path)
    _reachable(root.parent)
    found = _file_of(root.name)
    if found != root / "__init__.py":
        raise DefinitionError(
            f"the name {root.name} belongs to {found or 'another module'}: rename the folder {root}"
        )
    parts = path.relative_to(root.parent).with_suffix("").parts
    return importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def import_name(name: str) -> ModuleType:
    """The module of a dotted name, looked for in the current folder too."""
    _reachable(Path.cwd())
    return importlib.import_module(name)


def files_in(folder: Path) -> Iterator[Path]:
    """The Python files of a folder, in order: those of a package with its subpackages.

    Of a plain folder, its own files and its packages. Names that begin with ``_`` are left out,
    but for a package's ``__init__.py``.
    """
    package = _is_package(folder)
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if _is_package(entry) and entry.name.isidentifier():
                yield from files_in(entry)
        elif entry.suffix == ".py" and _is_public(entry.name, package):
            yield entry


def _is_public(name: str, in_package: bool) -> bool:
    return not name.startswith(("_", ".")) or (in_package and name == "__init__.py")


def reason(error: BaseException, file: Path | None) -> str:
    """Why importing a module failed, after the file and line where it did, if they are known.

    Of several places the innermost beside `file` counts, else the innermost outside of perdure.
    """
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    places = [
        (Path(frame.filename), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not _is_machinery(Path(frame.filename))
    ]
    near = [place for place in places if file is not None and file.parent in place[0].parents]
    said = str(error) if isinstance(error, DefinitionError) else f"{type(error).__name__}: {error}"
    for path, line in (near or places)[-1:]:
        return f"{path}:{line}: {said}"
    return said


def _is_machinery(path: Path) -> bool:
    return _PERDURE in path.parents or path.parent.name == "importlib"


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def _package_root(path: Path) -> Path | None:
    """The outermost package around a file, or None."""
    root = None
    for folder in path.parents:
        if not _is_package(folder):
            break
        root = folder
    return root


def _reachable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _file_of(name: str) -> Path | None:
    """The file that importing a name finds, if any."""
    if not name.isidentifier():
        return None
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin).resolve()


def _import_unnamed(path: Path) -> ModuleType:
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    name = f"perdure_file_{digest}_{_NOT_IN_NAMES.sub('_', path.stem)}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DefinitionError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
