"""Reading registered definitions, from any thread, without waiting for the writer."""

from collections.abc import Sequence
from typing import Any

import msgspec

from perdure.ports.runtime import Served
from perdure.store.sqlite.connections import Readers
from perdure.store.sqlite.statements import load

_SQL = load("definitions.sql")

_served = msgspec.json.Decoder(Served)


class DefinitionReads:
    """The port `Definitions`."""

    _readers: Readers

    def definitions(self) -> Sequence[Served]:
        cursor = self._readers.connection().execute(_SQL["definitions"])
        return [_served.decode(announcement) for (announcement,) in cursor]

    def definition_body(self, workflow_id: str, version: str) -> bytes | None:
        found = self._one("body", workflow_id, version)
        return None if found is None else bytes(found)

    def definition_source(self, workflow_id: str, version: str) -> str | None:
        found = self._one("source", workflow_id, version)
        return None if found is None else str(found)

    def _one(self, statement: str, workflow_id: str, version: str) -> Any:
        values = (workflow_id, version)
        found: list[Any] = self._readers.connection().execute(_SQL[statement], values).fetchall()
        return found[0][0] if found else None
