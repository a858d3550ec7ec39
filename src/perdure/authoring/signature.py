"""What a function takes and returns, as JSON: its parameters by name, its result by type."""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Never, NoReturn, get_type_hints

import msgspec

from perdure.authoring.schema import json_schema
from perdure.model.encoding import decode_other, encode
from perdure.model.exceptions import DefinitionError, EncodingError

_PLAIN_DEFAULTS = (str, int, float, bool, type(None))
_NAMELESS = {
    inspect.Parameter.VAR_POSITIONAL: "take a list as one parameter in place of *{}",
    inspect.Parameter.VAR_KEYWORD: "take a dict as one parameter in place of **{}",
    inspect.Parameter.POSITIONAL_ONLY: "remove the / after {}, since arguments are kept by name",
}
_PLACE = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`")
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Signature:
    """The parameters and the result of a function; `what` names it in errors ("task observe").

    Types are resolved when they are first needed, or by `prepare`: a decorated function may
    mention types that its module declares below it.
    """

    def __init__(self, function: Callable[..., Any], what: str) -> None:
        if not inspect.isfunction(function):
            raise DefinitionError(f"{what} is no function: decorate a function of a module")
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise DefinitionError(f"{what} is a generator: return a list in place of yielding")
        self.what = what
        self._function = function
        self._signature = inspect.signature(function)
        parameters = tuple(self._signature.parameters.values())
        for parameter in parameters:
            if parameter.kind in _NAMELESS:
                raise DefinitionError(f"{what}: {_NAMELESS[parameter.kind].format(parameter.name)}")
        positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        if positional[:1] in (["self"], ["cls"]):
            raise DefinitionError(f"{what} is a method: make it a function of its module")
        required = [p.name for p in parameters if p.default is p.empty]
        self._positional = tuple(positional)
        self._names = frozenset(self._signature.parameters)
        self._complete = (
            range(len(required), len(positional) + 1)
            if set(required) <= set(positional)
            else range(0)
        )
        """How many arguments there may be where all are given by position."""
        self._arguments_text = f"the arguments of {what}"
        self._result_text = f"the result of {what}"

    # -- arguments -----------------------------------------------------------------------------

    def encode_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """The arguments of a call in workflow code, as a JSON object by parameter name.

        Defaults are left out. Raises TypeError where they do not fit the parameters,
        EncodingError where they have no JSON, or are not of the declared types.
        """
        if not kwargs and len(args) in self._complete:
            arguments = dict(zip(self._positional, args, strict=False))
        elif not args and kwargs.keys() == self._names:
            arguments = dict(kwargs)
        else:
            try:
                arguments = self._signature.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise TypeError(f"{self.what}: {error}") from None
        encoded = encode(arguments, self._arguments_text)
        self.decode_arguments(encoded)
        return encoded

    def decode_arguments(self, encoded: bytes) -> dict[str, Any]:
        """Arguments by parameter name, of the declared types, defaults filled in.

        Raises EncodingError, saying where, for what does not fit.
        """
        try:
            return msgspec.structs.asdict(self._arguments_decoder.decode(encoded))
        except _UNDECODABLE as error:
            raise EncodingError(f"{self._arguments_text}: {_located(error)}") from None

    # -- the result ----------------------------------------------------------------------------

    def encode_result(self, result: Any) -> bytes:
        """A result as JSON. Raises EncodingError unless it decodes into the declared type."""
        encoded = encode(result, self._result_text)
        if self._result_type is not Any:
            self.decode_result(encoded)
        return encoded

    def decode_result(self, encoded: bytes) -> Any:
        """A result of the declared type. Raises EncodingError, saying where, for another."""
        try:
            return self._result_decoder.decode(encoded)
        except _UNDECODABLE as error:
            declared = inspect.formatannotation(self._result_type)
            raise EncodingError(
                f"{self._result_text} does not fit its declared type {declared}: {_located(error)}"
            ) from None

    # -- types ---------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Resolve every type. Raises DefinitionError, naming what has no JSON."""
        self.input_schema()
        self._schema_of(self._result_type, "its return type")
        self._decoder_of(self._result_type)

    def input_schema(self) -> dict[str, Any]:
        """The parameters as JSON Schema. Raises DefinitionError, naming what has no JSON."""
        for name in self._signature.parameters:
            self._schema_of(self._hints.get(name, Any), f"parameter {name}")
        return self._schema_of(self._arguments_type, "its parameters")

    @cached_property
    def _hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(self._function, include_extras=True)
        except NameError as error:
            raise DefinitionError(
                f"{self.what}: a type cannot be resolved ({error}): declare it in the module, "
                "outside of functions and of TYPE_CHECKING"
            ) from None
        except TypeError as error:
            raise DefinitionError(f"{self.what}: an annotation is no type ({error})") from None

    @cached_property
    def _arguments_type(self) -> type[msgspec.Struct]:
        fields: list[Any] = []
        for name, parameter in self._signature.parameters.items():
            declared = self._hints.get(name, Any)
            if parameter.default is parameter.empty:
                fields.append((name, declared))
            else:
                fields.append((name, declared, _default(parameter.default)))
        return msgspec.defstruct(
            self._function.__name__,
            fields,
            kw_only=True,
            forbid_unknown_fields=True,
            namespace={"__doc__": inspect.getdoc(self._function)},
        )

    @cached_property
    def _result_type(self) -> Any:
        declared = self._hints.get("return", Any)
        return Any if declared in (NoReturn, Never) else declared

    @cached_property
    def _arguments_decoder(self) -> msgspec.json.Decoder[msgspec.Struct]:
        self.input_schema()
        return self._decoder_of(self._arguments_type)

    @cached_property
    def _result_decoder(self) -> msgspec.json.Decoder[Any]:
        return self._decoder_of(self._result_type)

    def _decoder_of(self, type_: Any) -> msgspec.json.Decoder[Any]:
        try:
            return msgspec.json.Decoder(type_, dec_hook=decode_other)
        except TypeError as error:
            raise DefinitionError(f"{self.what}: {error}") from None

    def _schema_of(self, type_: Any, which: str) -> dict[str, Any]:
        try:
            return json_schema(type_)
        except (TypeError, ValueError, NameError) as error:
            raise DefinitionError(f"{self.what}: {which}: {error}") from None


def _default(value: Any) -> Any:
    """What `defstruct` takes as a default: it shares no mutable value on its own."""
    if isinstance(value, _PLAIN_DEFAULTS):
        return value
    return msgspec.field(default_factory=lambda: value)


def _located(error: Exception) -> str:
    """A decoding error with its place first, as a JSON pointer: "/days/0: Expected `int` …"."""
    message = str(error)
    place = _PLACE.search(message)
    if place is None:
        return message
    path = place["path"].replace("[...]", "/*").replace("[", "/").replace("]", "")
    rest = message[: place.start()] + message[place.end() :]
    return f"{path.replace('.', '/') or '/'}: {rest}"
