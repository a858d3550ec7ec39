"""What is simple, without jq: paths, constants, comparisons, sums, objects of these.

It agrees with jq, or says that it does not know (`UnsureError`): errors, numbers that doubles do
not hold, and whatever gives no output or several are jq's to tell. A test holds the agreement.
"""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from perdure.model.exceptions import PerdureError
from perdure.openworkflow.expressions import syntax as s
from perdure.openworkflow.expressions.sizes import fit

Arguments = Mapping[str, Any]
Direct = Callable[[Any, Arguments], Any]

_EXACT = 2**53
"""Integers up to here are the same as doubles."""
_WRITTEN_WHOLE = 1e17
"""Whole doubles below are written without an exponent, and so read as integers."""
_DEEPEST = 40


class UnsureError(PerdureError):
    """Jq has to say."""


def compile(node: s.Node) -> Direct | None:
    """An expression as a function of its value and arguments; None where it is not simple."""
    return _compile(node) if s.depth(node) <= _DEEPEST else None


def _compile(node: s.Node) -> Direct | None:
    maker = _MAKERS.get(type(node))
    return maker(node) if maker is not None else None


def _all(*nodes: s.Node) -> list[Direct] | None:
    """The functions of all nodes; None where one of them has none."""
    made = [_compile(node) for node in nodes]
    return [one for one in made if one is not None] if None not in made else None


# -- values ----------------------------------------------------------------------------------------


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _truthy(value: Any) -> bool:
    return value is not None and value is not False


def _double(value: Any) -> float | int:
    """A number that is the same in Python and in jq."""
    if type(value) is int and -_EXACT <= value <= _EXACT:
        return value
    if type(value) is float:
        return value
    raise UnsureError


def _number(value: float | int) -> float | int:
    """What arithmetic has given, as jq would write it and it would be read."""
    if type(value) is int:
        if -_EXACT <= value <= _EXACT:
            return value
        raise UnsureError
    if not math.isfinite(value) or _is_negative_zero(value):
        raise UnsureError
    return int(value) if value == int(value) and abs(value) < _WRITTEN_WHOLE else value


def _is_negative_zero(value: float) -> bool:
    """Jq writes its sign, which Python's integers do not have."""
    return not value and math.copysign(1.0, value) < 0


def _get(target: Any, key: Any) -> Any:
    if type(target) is dict and type(key) is str:
        return target.get(key)
    if type(target) is list and type(key) is int:
        return target[key] if -len(target) <= key < len(target) else None
    if target is None and type(key) in (str, int):
        return None
    raise UnsureError


def _add(left: Any, right: Any) -> Any:
    if _is_number(left) and _is_number(right):
        return _number(_double(left) + _double(right))
    if left is None:
        return right
    if right is None:
        return left
    if not fit((left, right)):
        raise UnsureError
    if type(left) is str and type(right) is str:
        return left + right
    if type(left) is list and type(right) is list:
        return left + right
    if type(left) is dict and type(right) is dict:
        return left | right
    raise UnsureError


def _subtract(left: Any, right: Any) -> Any:
    return _number(_double(left) - _double(right))


def _multiply(left: Any, right: Any) -> Any:
    found = _number(_double(left) * _double(right))
    if not found and (left < 0 or right < 0):
        raise UnsureError
    return found


def _divide(left: Any, right: Any) -> Any:
    divisor = _double(right)
    if not divisor:
        raise UnsureError
    return _number(_double(left) / divisor)


def _remainder(left: Any, right: Any) -> Any:
    if type(left) is not int or type(right) is not int:
        raise UnsureError
    left, right = _double(left), _double(right)
    if not right:
        raise UnsureError
    found = abs(left) % abs(right)
    return -found if left < 0 else found


def _equal(left: Any, right: Any) -> bool:
    if _is_number(left) and _is_number(right):
        return _double(left) == _double(right)
    if type(left) in (list, dict) and type(right) is type(left):
        raise UnsureError
    return type(left) is type(right) and bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        if type(left) is str and type(right) is str:
            return compare(left, right)
        return compare(_double(left), _double(right))

    return ordered


def _length(value: Any) -> Any:
    if type(value) in (str, list, dict):
        return len(value)
    if value is None:
        return 0
    raise UnsureError


_KINDS = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_WORDS = {True: "true", False: "false", None: "null"}


def _written(value: Any) -> str:
    """A value within a text."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if value is None or type(value) is bool:
        return _WORDS[value]
    raise UnsureError


# -- constructs ------------------------------------------------------------------------------------


def _literal(node: s.Literal) -> Direct | None:
    constant = node.value
    if _is_number(constant):
        try:
            constant = _double(constant)
        except UnsureError:
            return None
        if not math.isfinite(constant):
            return None
    return lambda value, arguments: constant


def _negate(node: s.Negate) -> Direct | None:
    inner = _compile(node.operand)
    if inner is None:
        return None

    def negate(value: Any, arguments: Arguments) -> Any:
        found = inner(value, arguments)
        if not _is_number(found) or not found:
            raise UnsureError
        return -found

    return negate


def _variable(node: s.Variable) -> Direct | None:
    name = node.name
    if name == "ENV":
        return None
    return lambda value, arguments: arguments[name]


def _index(node: s.Index) -> Direct | None:
    key = node.key
    if isinstance(key, s.Literal) and type(key.value) is str:
        return _field(node.target, key.value)
    made = _all(node.target, key)
    if made is None:
        return None
    target, place = made
    return lambda value, arguments: _get(target(value, arguments), place(value, arguments))


def _field(node: s.Node, name: str) -> Direct | None:
    if isinstance(node, s.Identity):

        def field(value: Any, arguments: Arguments) -> Any:
            if type(value) is dict:
                return value.get(name)
            return _get(value, name)

        return field
    target = _compile(node)
    if target is None:
        return None

    def inner_field(value: Any, arguments: Arguments) -> Any:
        found = target(value, arguments)
        if type(found) is dict:
            return found.get(name)
        return _get(found, name)

    return inner_field


def _pipe(node: s.Pipe) -> Direct | None:
    made = _all(node.left, node.right)
    if made is None:
        return None
    left, right = made
    return lambda value, arguments: right(left(value, arguments), arguments)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _remainder,
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
}


def _binary(node: s.Binary) -> Direct | None:
    made = _all(node.left, node.right)
    if made is None:
        return None
    left, right = made
    apply = _OPERATORS[node.operator]
    return lambda value, arguments: apply(left(value, arguments), right(value, arguments))


def _logic(node: s.Logic) -> Direct | None:
    made = _all(node.left, node.right)
    if made is None:
        return None
    left, right = made
    decided = node.operator == "or"

    def logic(value: Any, arguments: Arguments) -> bool:
        if _truthy(left(value, arguments)) is decided:
            return decided
        return _truthy(right(value, arguments))

    return logic


def _alternative(node: s.Alternative) -> Direct | None:
    made = _all(node.left, node.right)
    if made is None:
        return None
    left, right = made

    def alternative(value: Any, arguments: Arguments) -> Any:
        found = left(value, arguments)
        return found if _truthy(found) else right(value, arguments)

    return alternative


def _if(node: s.If) -> Direct | None:
    made = _all(node.condition, node.consequence, node.otherwise or s.Identity())
    if made is None:
        return None
    condition, consequence, otherwise = made

    def choose(value: Any, arguments: Arguments) -> Any:
        chosen = consequence if _truthy(condition(value, arguments)) else otherwise
        return chosen(value, arguments)

    return choose


def _object(node: s.Object) -> Direct | None:
    keys = _all(*(key for key, _ in node.entries))
    values = _all(*(value for _, value in node.entries))
    if keys is None or values is None:
        return None
    entries = list(zip(keys, values, strict=True))

    def make(value: Any, arguments: Arguments) -> Any:
        made = {}
        for key, item in entries:
            name = key(value, arguments)
            if type(name) is not str:
                raise UnsureError
            made[name] = item(value, arguments)
        if not fit(made.values()):
            raise UnsureError
        return made

    return make


def _array(node: s.Array) -> Direct | None:
    body = node.body
    parts = body.parts if isinstance(body, s.Comma) else () if body is None else (body,)
    items = _all(*parts)
    if items is None:
        return None

    def make(value: Any, arguments: Arguments) -> Any:
        made = [item(value, arguments) for item in items]
        if not fit(made):
            raise UnsureError
        return made

    return make


def _text(node: s.Text) -> Direct | None:
    if node.format not in (None, "text"):
        return None
    parts = _all(*(s.Literal(part) if isinstance(part, str) else part for part in node.parts))
    if parts is None:
        return None

    def write(value: Any, arguments: Arguments) -> str:
        written = [_written(part(value, arguments)) for part in parts]
        if not fit(written):
            raise UnsureError
        return "".join(written)

    return write


def _call(node: s.Call) -> Direct | None:
    function = _FUNCTIONS.get(node.name) if not node.arguments else None
    if function is None:
        return None
    return lambda value, arguments: function(value)


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "length": _length,
    "not": lambda value: not _truthy(value),
    "type": lambda value: _KINDS[type(value)],
    "tostring": _written,
}

_MAKERS: dict[type, Callable[[Any], Direct | None]] = {
    s.Identity: lambda _: lambda value, arguments: value,
    s.Literal: _literal,
    s.Negate: _negate,
    s.Variable: _variable,
    s.Index: _index,
    s.Pipe: _pipe,
    s.Binary: _binary,
    s.Logic: _logic,
    s.Alternative: _alternative,
    s.If: _if,
    s.Object: _object,
    s.Array: _array,
    s.Text: _text,
    s.Call: _call,
}
