"""Values as JSON: the only form in which they are stored (promise 9).

Encoding refuses what JSON would change in silence: NaN and infinities, keys that are no strings.
Decimal, datetime and bytes become strings, and come back through the declared type. Pydantic
models work where pydantic is installed; it is not imported here.
"""

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from perdure.model.exceptions import EncodingError

VALUE_LIMIT_BYTES = 2 * 1024 * 1024
"""A value's largest size, encoded."""

_PLAIN = frozenset({str, int, bool, type(None)})


def _encode_other(value: Any) -> Any:
    if hasattr(type(value), "__pydantic_serializer__"):
        return value.model_dump(mode="json", by_alias=True)
    raise NotImplementedError


def decode_other(type_: type, value: Any) -> Any:
    """Decode what msgspec does not know itself: pydantic models (a `dec_hook`)."""
    if hasattr(type_, "__pydantic_validator__"):
        return type_.model_validate(value)  # type: ignore[attr-defined]
    raise NotImplementedError


_encoder = msgspec.json.Encoder(enc_hook=_encode_other)
_decode = msgspec.json.Decoder().decode


def encode(value: Any, what: str) -> bytes:
    """`value` as JSON; `what` names it in errors ("the result of task observe").

    Raises EncodingError, saying where, for what has no JSON, would be changed by it, or is larger
    than VALUE_LIMIT_BYTES.
    """
    try:
        encoded = _encoder.encode(value)
        if type(value) not in _PLAIN and _decode(encoded) != value:
            changed = msgspec.to_builtins(
                value, enc_hook=_encode_other, builtin_types=(bytes, bytearray)
            )
            _refuse_silent_changes(changed, what, "")
    except EncodingError:
        raise
    except RecursionError:
        raise EncodingError(f"{what} is nested too deeply, or contains itself") from None
    except (TypeError, ValueError, OverflowError, NotImplementedError, msgspec.MsgspecError) as e:
        culprit, where = _culprit(value, "")
        reason = str(e) or f"{type(culprit).__qualname__} is no type that JSON has"
        place = f", at {where}" if where else ""
        raise EncodingError(f"{what} cannot be stored as JSON: {reason}{place}") from None
    if len(encoded) > VALUE_LIMIT_BYTES:
        raise EncodingError(
            f"{what} has {len(encoded):,} bytes, and a value may have {VALUE_LIMIT_BYTES:,}: "
            "store it elsewhere and pass a reference"
        )
    return encoded


def _culprit(value: Any, where: str) -> tuple[Any, str]:
    """The innermost part of a value that has no JSON on its own, and where it is."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple | set | frozenset):
        items = enumerate(value)
    for key, item in items:
        try:
            _encoder.encode(item)
        except Exception:
            return _culprit(item, f"{where}/{key}")
    return value, where


def _refuse_silent_changes(value: Any, what: str, where: str) -> None:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EncodingError(f"{what} cannot be stored as JSON: {value} at {where or '/'}")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise EncodingError(
                    f"{what} cannot be stored as JSON: key {key!r} at {where or '/'} is no string"
                )
            _refuse_silent_changes(item, what, f"{where}/{key}")
    elif isinstance(value, list | tuple | set | frozenset):
        for index, item in enumerate(value):
            _refuse_silent_changes(item, what, f"{where}/{index}")
