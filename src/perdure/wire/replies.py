"""The small bodies that the server answers with."""

from typing import Literal

import msgspec


class EventReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """An event is on disk; `duplicate` is whether one with its id had been received before."""

    execution_id: str
    name: str
    id: str | None
    duplicate: bool


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Executions are started at once."""

    status: Literal["ready"] = "ready"
