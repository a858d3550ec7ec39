"""Where a function was written: its file and line, its digest, and how to find it again."""

import hashlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def place(function: Callable[..., Any]) -> str:
    """File and line, as ``flows.py:12``."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def digest(function: Callable[..., Any]) -> str:
    """SHA-256 of the function's source, in hex; of its module's where the former is not known.

    Empty where neither is (code that was never in a file).
    """
    try:
        source = inspect.getsource(function).encode()
    except (OSError, TypeError):
        file = module_file(function.__module__)
        if file is None or not file.is_file():
            return ""
        source = file.read_bytes()
    return hashlib.sha256(source).hexdigest()


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
