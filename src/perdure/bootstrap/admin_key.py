"""The admin key: made on the first start, kept in the data folder, readable by its owner only."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from perdure.bootstrap.settings import SettingsError

FILE_NAME = "admin.key"
_RANDOM_BYTES = 32


def admin_key(data: Path, given: str | None) -> tuple[str, bool]:
    """The admin key, and whether it was made just now: `given`, or that of the data folder.

    The caller holds the folder alone. Raises SettingsError where the key can be neither read nor
    kept.
    """
    if given is not None:
        return given, False
    file = data / FILE_NAME
    try:
        with suppress(FileNotFoundError):
            found = file.read_text(encoding="ascii").strip()
            if not re.fullmatch(r"[!-~]{1,512}", found):
                raise SettingsError(f"{file}: holds no key; delete it, and a new one is made")
            file.chmod(0o600)
            return found, False
        made = "prd_" + secrets.token_urlsafe(_RANDOM_BYTES)
        _keep(file, made)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file}: the admin key can be neither read nor kept: {error}"
        ) from None
    return made, True


def _keep(file: Path, made: str) -> None:
    """Write it so that the file, once it has its name, is complete and on disk."""
    unnamed = file.with_suffix(".new")
    unnamed.unlink(missing_ok=True)
    opened = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as writing:
        writing.write(made + "\n")
        writing.flush()
        os.fsync(writing.fileno())
    unnamed.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
