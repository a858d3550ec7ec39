"""JSON of user code within bodies: inputs, results, an event's data, the fields of a log line."""

from typing import Any

Value = Any
"""Any JSON. The server puts it in as it is stored, as `msgspec.Raw`, and it is sent on without
being decoded; whoever decodes a body gets what `json.loads` would give: dicts, lists, texts,
numbers, booleans and None."""
