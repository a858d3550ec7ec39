"""Registered definitions: documents that were sent over the API, and are kept.

A definition is named by its workflow and version, and never changes: what is registered under a
name that is taken is either the same, or refused.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from perdure.ports.runtime import Served


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A document, validated.

    `served` is how it is announced, without its source; `source` the text as it was sent; `body`
    what workers compile. `served.digest` is that of `body`.
    """

    served: Served
    source: str
    body: bytes


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """Keep a definition.

    Refused where its workflow has the version already: as "duplicate" with the same digest, as
    "mismatch" with another.
    """

    definition: Definition
    registered_at: int


class Definitions(Protocol):
    """Reads registered definitions."""

    def definitions(self) -> Sequence[Served]:
        """How all of them are announced."""
        ...

    def definition_body(self, workflow_id: str, version: str) -> bytes | None:
        """What workers compile; None where it is not registered."""
        ...

    def definition_source(self, workflow_id: str, version: str) -> str | None:
        """The text as it was sent; None where it is not registered."""
        ...
