"""What comes back: read within limits, undone of its compression, and turned into the output."""

import base64
import codecs
import re
import zlib
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from perdure.calls.failing import UnusableAnswerError
from perdure.calls.masking import HIDDEN, Mask
from perdure.calls.outgoing import Outgoing
from perdure.model.encoding import encode
from perdure.model.exceptions import EncodingError
from perdure.model.text import readable

Headers = Iterable[tuple[bytes, bytes]]

_CREDENTIALS = frozenset({"authorization", "cookie"})
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB, _RAW_DEFLATE = 47, -15
_TEXTUAL = re.compile(r"text/.*|.*[/+.-](?:json|xml|yaml|javascript|x-www-form-urlencoded|sql)")
_CHARSETS = re.compile(
    r"utf-(?:8|16|32).*|ascii|iso8859-.*|cp\d+|euc_.*|shift_jis|gb.*|big5|koi8.*"
)
"""Encodings as Python names them; others are slow, or no encodings of text."""


class Answer(msgspec.Struct, frozen=True):
    """An answer that was read. The names of its headers are in lower case; what is repeated is
    joined with commas (RFC 9110, section 5.3)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def merged(headers: Headers) -> dict[str, str]:
    """Headers by their names."""
    result: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("utf-8" if _is_utf8(raw_value) else "latin-1")
        result[name] = f"{result[name]}, {value}" if name in result else value
    return result


async def body_of(chunks: AsyncIterable[bytes], headers: Mapping[str, str], most: int) -> bytes:
    """The body, decompressed, of at most `most` bytes; so many are read at most, too.

    Raises UnusableAnswerError for one that is longer or cannot be decompressed.
    """
    body = bytearray()
    async for part in parts_of(chunks, headers, most):
        body += part
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


async def parts_of(
    chunks: AsyncIterable[bytes], headers: Mapping[str, str], most: int
) -> AsyncIterable[bytes]:
    """A body decompressed as it comes, no more than one byte beyond `most` bytes of it.

    Raises UnusableAnswerError.
    """
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in _COMPRESSED and coding not in ("", "identity"):
        raise UnusableAnswerError(f"the answer is compressed with {coding[:50]!r}")
    inflater = _Inflater() if coding in _COMPRESSED else None
    received = made = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > most and inflater is not None:
            raise _too_large(most)
        part = chunk if inflater is None else inflater.inflate(chunk, most + 1 - made)
        made += len(part)
        yield part
    if inflater is not None and inflater.unfinished:
        raise UnusableAnswerError("the compressed answer breaks off")


def _too_large(most: int) -> UnusableAnswerError:
    return UnusableAnswerError(f"the answer has more than {most:,} bytes")


class _Inflater:
    """Undoes gzip and deflate, whatever is wrapped around it, never more than it is asked for."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._fresh = True

    @property
    def unfinished(self) -> bool:
        """Whether more has to come."""
        return not self._fresh and not self._engine.eof

    def inflate(self, chunk: bytes, most: int) -> bytes:
        """What becomes of a chunk, up to `most` bytes (at least 1)."""
        result = b""
        while chunk and len(result) < most:
            if self._engine.eof:
                self._engine = zlib.decompressobj(_GZIP_OR_ZLIB)
            result += self._decompressed(chunk, most - len(result))
            self._fresh = False
            chunk = self._engine.unused_data
        return result

    def _decompressed(self, chunk: bytes, most: int) -> bytes:
        try:
            return self._engine.decompress(chunk, most)
        except zlib.error:
            if not self._fresh:
                raise UnusableAnswerError("the answer cannot be decompressed") from None
        self._engine = zlib.decompressobj(_RAW_DEFLATE)
        try:
            return self._engine.decompress(chunk, most)
        except zlib.error:
            raise UnusableAnswerError("the answer cannot be decompressed") from None


def rendered(
    sent: Outgoing, answer: Answer, output: Literal["raw", "content", "response"], mask: Mask
) -> bytes:
    """The output of a call, as JSON. Raises UnusableAnswerError."""
    value: Any
    if output == "raw":
        value = base64.b64encode(answer.body).decode("ascii")
    elif output == "content":
        value = _content(answer)
    else:
        value = {
            "request": {
                "method": sent.method,
                "uri": mask.hide(str(sent.target)),
                "headers": {
                    name: HIDDEN if name in _CREDENTIALS else mask.hide(text)
                    for name, text in sent.headers.items()
                },
            },
            "statusCode": answer.status,
            "headers": answer.headers,
            "content": _content(answer),
        }
    try:
        return encode(value, "the output of the call")
    except EncodingError as error:
        raise UnusableAnswerError(str(error)) from None


def _content(answer: Answer) -> Any:
    """JSON as what it says, text as a string, anything else in base64; null where nothing came."""
    if not answer.body:
        return None
    content_type = answer.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if re.fullmatch(r"(?:application|text)/json|.*\+json", media_type):
        try:
            return msgspec.json.decode(answer.body.removeprefix(codecs.BOM_UTF8))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reason = str(error)[:200]
            raise UnusableAnswerError(f"the answer says that it is JSON: {reason}") from None
    if (
        _TEXTUAL.fullmatch(media_type)
        or "charset=" in content_type.lower()
        or (not media_type and _is_utf8(answer.body))
    ):
        return text_of(answer.body, content_type)
    return base64.b64encode(answer.body).decode("ascii")


def text_of(body: bytes, content_type: str) -> str:
    """A body as text, of the charset that it names or UTF-8; what is none becomes U+FFFD."""
    charset = re.search(r"charset=\s*\"?([A-Za-z0-9._:-]{1,40})", content_type, re.IGNORECASE)
    name = "utf-8"
    if charset:
        try:
            found = codecs.lookup(charset[1]).name
        except LookupError:
            found = ""
        name = found if _CHARSETS.fullmatch(found) else name
    return readable(body.removeprefix(codecs.BOM_UTF8).decode(name, errors="replace"))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
