"""Where a function was written: its file and line, its digest, and how to find it again."""

import hashlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXT_LIMIT_BYTES = 256 * 1024
"""The largest source that is shown."""


def place(function: Callable[..., Any]) -> str:
    """File and line, as ``flows.py:12``."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def digest(function: Callable[..., Any]) -> str:
    """SHA-256 of the function's source, in hex; of its module's where the former is not known.

    Empty where neither is (code that was never in a file).
    """
    source = _source(function)
    return "" if source is None else hashlib.sha256(source).hexdigest()


def text(function: Callable[..., Any]) -> str | None:
    """The function's source, decorators included; that of its module where it is not known.

    None where neither is, or where it has more than TEXT_LIMIT_BYTES.
    """
    source = _source(function)
    if source is None or len(source) > TEXT_LIMIT_BYTES:
        return None
    return source.decode(errors="replace")


def _source(function: Callable[..., Any]) -> bytes | None:
    try:
        return inspect.getsource(function).encode()
    except (OSError, TypeError):
        file = module_file(function.__module__)
        return file.read_bytes() if file is not None and file.is_file() else None


def reference(function: Callable[..., Any]) -> str:
    """``FILE:QUALNAME``, or ``MODULE:QUALNAME`` of a module without a file.

    It names the function in any process on this machine: see `loading.resolve`.
    """
    file = module_file(function.__module__)
    return f"{file or function.__module__}:{function.__qualname__}"


def module_file(name: str) -> Path | None:
    """The file of a module that is imported, or None."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file).resolve() if file else None
