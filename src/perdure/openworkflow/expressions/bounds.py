"""How long an expression may run in this process: an upper bound, or none.

For each construct there is a bound on three things, for one run on an input of size x with
variables of size v (`growth`): the number of its outputs, their size together, and the time. The
rules below are the argument that whatever has a bound ends, within it:

- Nothing here recurses or loops by its own decision. Generators run over the parts of a value,
  which are not more than its bytes (`.[]`, `..`), or over what is written (`,`). What combines
  generators multiplies their numbers; the degree of the product is limited.
- Values share their parts, so what copies nothing costs a step, however large the value is. Size
  is still counted in full, since the result is written out at the end.
- No value is nested deeper than the input and the source together: no construct here puts its own
  output into itself.
- A number is never a size: no range, limit, index to assign to, or repetition comes from data. A
  text times a number is found out as it happens, and is not computed here (`programs.GUARD`).
- Whatever has a rule of its own in jq that could not be shown to be linear in its parts is left
  out: regular expressions, paths as values, `def`, `reduce`, `label`, dates by a format; and
  `fromjson`, since what it reads may be nested more deeply than a small stack can hold.

Factors are nanoseconds, taken from measurements of the worst inputs on a slow machine.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any

import msgspec

from perdure.openworkflow.expressions import syntax as s
from perdure.openworkflow.expressions.functions import MATHEMATICAL
from perdure.openworkflow.expressions.growth import (
    INPUT,
    NOTHING,
    ONE,
    VARIABLES,
    Growth,
    UnboundedError,
    constant,
)

LARGEST_INPUT_BYTES = 64 * 1024
"""What is evaluated in this process has no larger input, its arguments included."""
DEEPEST = 100
"""How deep its tree may be."""
LONGEST_NS = 100e6
"""How long it may take, by this bound."""
WORK_NS = 1e6
"""What counts as much as the visit of a task, whose time is not above a tenth of it: bounds are
about ten times what is measured."""
SMALL_BYTES = 1024
"""An expression that may take longer already for an input of this size is not bounded."""

_STEP = 250.0
_READ_AND_WRITE = 200.0
_COPIED = 0.1
"""Per byte of what a node gives out: so sizes of values on the way are below ten times the time."""
_MESSAGE = constant(400)
"""The size of a message of jq's own, without the values that it shows."""


class Bound(msgspec.Struct, frozen=True):
    """Outputs, their size together, and the time of one run."""

    count: Growth
    size: Growth
    time: Growth


_NUMBER = Bound(ONE, constant(30), constant(_STEP))
_SAME = Bound(ONE, INPUT, constant(_STEP))


class Here(msgspec.Struct, frozen=True):
    """What of an expression is evaluated in this process.

    `largest_input` is in bytes, 0 where it is not bounded. An execution asks for the same
    evaluations when it is replayed, so neither may change while executions wait (docs/journal.md).
    """

    largest_input: int
    work_per_byte: float = 0.0
    """How much of a step's work an evaluation is, per byte of its input: in WORK_NS."""


def here(node: s.Node) -> Here:
    """Whether, and up to where, an expression is evaluated in this process."""
    if s.depth(node) > DEEPEST:
        return Here(0)
    try:
        found = _bound(node)
        time = found.time + (INPUT + VARIABLES + found.size) * _READ_AND_WRITE
    except UnboundedError:
        return Here(0)
    size = LARGEST_INPUT_BYTES
    while size >= SMALL_BYTES and time.at(size) > LONGEST_NS:
        size //= 2
    if size < SMALL_BYTES:
        return Here(0)
    return Here(size, time.at(size) / WORK_NS / size)


def _bound(node: s.Node) -> Bound:
    rule = _RULES.get(type(node))
    if rule is None:
        raise UnboundedError
    found = rule(node)
    return Bound(found.count, found.size, found.time + found.size * _COPIED + constant(_STEP))


# -- how bounds go together ------------------------------------------------------------------------


def _piped(left: Bound, right: Bound) -> Bound:
    """`right` on each output of `left`."""
    return Bound(
        right.count.over_inputs(left.count, left.size),
        right.size.over_inputs(left.count, left.size),
        left.time + right.time.over_inputs(left.count, left.size),
    )


def _both(left: Bound, right: Bound) -> Bound:
    """The outputs of the one and of the other."""
    return Bound(left.count + right.count, left.size + right.size, left.time + right.time)


def _product(*parts: Bound) -> Bound:
    """Every combination of an output of each; the size is that of all of it."""
    count, size, time = ONE, NOTHING, NOTHING
    for part in parts:
        size = size * part.count + part.size * count
        time = time * _at_least_one(part.count) + part.time * _at_least_one(count)
        count = count * part.count
    return Bound(count, size, time + count * _STEP)


def _at_least_one(count: Growth) -> Growth:
    return count if count.terms.get((0, 0), 0.0) >= 1 else count + ONE


def _costing(bound: Bound, time: Growth) -> Bound:
    return Bound(bound.count, bound.size, bound.time + time)


def _sized(bound: Bound, size: Growth) -> Bound:
    return Bound(bound.count, size, bound.time)


def _single(bound: Bound, size: Growth, time: Growth = NOTHING) -> Bound:
    """One value made of all outputs."""
    return Bound(ONE, size, bound.time + time)


def _chosen(bound: Bound) -> Bound:
    """Each output tested: a boolean for each."""
    return _sized(bound, bound.count * 5)


def _per_byte(size: float, time: float) -> Bound:
    """One value, made of the input."""
    return Bound(ONE, INPUT * size + constant(30), INPUT * time + constant(_STEP))


# -- the constructs --------------------------------------------------------------------------------


def _literal(node: s.Literal) -> Bound:
    size = 6 * len(node.value) + 2 if isinstance(node.value, str) else len(repr(node.value))
    return Bound(ONE, constant(size), NOTHING)


def _index(node: s.Index) -> Bound:
    target = _bound(node.target)
    if isinstance(node.key, s.Literal):
        return _costing(target, target.count * _STEP)
    key = _bound(node.key)
    found = _product(target, key)
    # A list as key looks for itself in the target; each place that it is at is a number.
    return Bound(found.count, target.size * key.count * 5, found.time + target.size * key.size * 2)


def _slice(node: s.Slice) -> Bound:
    target = _bound(node.target)
    ends = [_bound(end) for end in (node.start, node.end) if end is not None]
    found = _product(target, *ends)
    size = target.size
    for end in ends:
        size = size * end.count
    return Bound(found.count, size, found.time + size * 2)


def _iterate(node: s.Iterate) -> Bound:
    target = _bound(node.target)
    return Bound(target.size * 0.5, target.size, target.time + target.size * (_STEP / 2))


def _try(node: s.Try) -> Bound:
    body = _bound(node.body)
    if any(_is_guarded(part) for part in s.walk(node.body)):
        raise UnboundedError
    if node.handler is None:
        return body
    error = Bound(ONE, _MESSAGE + body.time * (2 / _COPIED), NOTHING)
    return _both(body, _piped(error, _bound(node.handler)))


def _alternative(node: s.Alternative) -> Bound:
    if any(_is_guarded(part) for part in s.walk(node.left)):
        raise UnboundedError
    return _both(_bound(node.left), _bound(node.right))


def _is_guarded(node: s.Node) -> bool:
    """Whether it may fail only since it is evaluated here, which must not be caught."""
    if isinstance(node, s.Binary):
        return node.operator == "*" and _factor(node) is None
    return isinstance(node, s.Assign) and node.operator == "*=" and not _is_number(node.value)


def guarded(node: s.Node) -> bool:
    """Whether an expression multiplies what may be text."""
    return any(_is_guarded(part) for part in s.walk(node))


def _factor(node: s.Binary) -> float | None:
    """The number that is written beside a ``*``."""
    for side in (node.left, node.right):
        if isinstance(side, s.Literal) and isinstance(side.value, int | float):
            return abs(side.value)
    return None


def _binary(node: s.Binary) -> Bound:
    left, right = _bound(node.left), _bound(node.right)
    found = _product(left, right)
    across = left.size * right.count + right.size * left.count
    if node.operator in ("==", "!="):
        least = min(left.size * right.count, right.size * left.count, key=_at_most)
        return _chosen(_costing(found, least * 30))
    if node.operator in ("<", "<=", ">", ">="):
        if _is_scalar(node.left) or _is_scalar(node.right):
            return _chosen(_costing(found, found.count * _STEP))
        return _chosen(_costing(found, across * 400))
    if node.operator == "+":
        return _costing(found, across * 10)
    if node.operator == "%" or _is_number(node.left) or _is_number(node.right):
        factor = _factor(node) if node.operator == "*" else None
        size = across * max(1.0, factor or 1.0) + found.count * 30
        return Bound(found.count, size, found.time + size * 10)
    if node.operator == "-":
        return Bound(found.count, left.size * right.count, found.time + left.size * right.size * 8)
    if node.operator == "*":  # of objects; texts are guarded against
        return _costing(found, across * 200)
    return Bound(found.count, across * 4, found.time + across * 400)


def _at_most(growth: Growth) -> float:
    return growth.at(LARGEST_INPUT_BYTES)


def _is_number(node: s.Node) -> bool:
    return isinstance(node, s.Literal) and isinstance(node.value, int | float)


def _is_scalar(node: s.Node) -> bool:
    return isinstance(node, s.Literal | s.Text)


def _logic(node: s.Logic) -> Bound:
    left, right = _bound(node.left), _bound(node.right)
    both = _chosen(_product(left, right))
    return _both(both, Bound(left.count, left.count * 5, NOTHING))


def _if(node: s.If) -> Bound:
    condition = _bound(node.condition)
    branches = _both(
        _bound(node.consequence), _SAME if node.otherwise is None else _bound(node.otherwise)
    )
    times = _at_least_one(condition.count)
    return Bound(
        branches.count * times, branches.size * times, condition.time + branches.time * times
    )


def _array(node: s.Array) -> Bound:
    if node.body is None:
        return _NUMBER
    body = _bound(node.body)
    return _single(body, body.size + body.count + constant(2), body.count * _STEP)


def _object(node: s.Object) -> Bound:
    parts = [_bound(part) for entry in node.entries for part in entry]
    found = _product(*parts)
    entries = len(node.entries)
    return Bound(
        found.count,
        found.size + found.count * (4 * entries + 2),
        found.time + found.count * (2 * _STEP * entries),
    )


def _text(node: s.Text) -> Bound:
    factor = _FORMATS.get(node.format or "text")
    if factor is None:
        raise UnboundedError
    written = sum(len(part) for part in node.parts if isinstance(part, str))
    parts = [_bound(part) for part in node.parts if not isinstance(part, str)]
    found = _product(*parts)
    size = found.size * factor + found.count * (30 * len(parts) + 6 * written + 2)
    return Bound(found.count, size, found.time + size * 15 + found.count * (_STEP * len(parts)))


def _format(node: s.Format) -> Bound:
    factor = _FORMATS.get(node.name)
    if factor is None:
        raise UnboundedError
    return _per_byte(factor, 200.0)


_FORMATS = {
    "text": 2.0,
    "json": 2.0,
    "csv": 4.0,
    "tsv": 4.0,
    "html": 6.0,
    "uri": 3.0,
    "urid": 3.0,
    "sh": 6.0,
    "base64": 2.0,
    "base64d": 3.0,
}
"""How much larger a format makes a text, at most."""


def _bind(node: s.Bind) -> Bound:
    if len(node.patterns) > 1:
        raise UnboundedError
    names = _names_bound(node.patterns[0])
    source, body = _bound(node.source), _bound(node.body)
    size = source.size * float(names)
    return Bound(
        body.count.over_variables(source.count, size),
        body.size.over_variables(source.count, size),
        source.time + source.count * (_STEP * names) + body.time.over_variables(source.count, size),
    )


def _names_bound(pattern: s.Pattern) -> int:
    """How many parts of a value a pattern takes at most; its keys have to be written out."""
    match pattern:
        case s.NamePattern():
            return 1
        case s.ArrayPattern(items):
            return 1 + sum(_names_bound(item) for item in items)
        case s.ObjectPattern(entries):
            total = 1
            for key, name, inner in entries:
                if not isinstance(key, s.Literal):
                    raise UnboundedError
                total += 1 + (name is not None) + (_names_bound(inner) if inner else 0)
            return total


def _assign(node: s.Assign) -> Bound:
    _check_simple(node.paths)
    paths = _bound(node.paths)
    padding = _padding(node.paths)
    if node.operator == "|=":
        return _modified(paths, _bound(node.value), padding)
    value = _bound(node.value)
    if node.operator == "=":
        size = INPUT * value.count + paths.count * value.size + padding * value.count
        time = (paths.time + INPUT * 10 + paths.count * (20 * _STEP)) * _at_least_one(value.count)
        return Bound(value.count, size, value.time + time)
    operator = node.operator[:-1]
    old = s.Identity()
    new = node.value if _is_number(node.value) else s.Variable("", 0)
    update = s.Alternative(old, new) if operator == "//" else s.Binary(operator, old, new)
    changed = _modified(paths, _bound(update), padding)
    return Bound(
        changed.count.over_variables(value.count, value.size),
        changed.size.over_variables(value.count, value.size),
        value.time + changed.time.over_variables(value.count, value.size),
    )


def _modified(paths: Bound, update: Bound, padding: Growth) -> Bound:
    changed = _piped(paths, update)
    size = INPUT + changed.size + padding
    time = changed.time + INPUT * 20 + paths.count * (40 * _STEP)
    return Bound(ONE, size, time)


_LARGEST_INDEX = 100
"""The highest index that may be assigned to: an array is filled up to there."""


def _check_simple(paths: s.Node) -> None:
    """Paths that can be assigned to: fields and indices that are written, and ``[]``."""
    while not isinstance(paths, s.Identity):
        if isinstance(paths, s.Index):
            key = paths.key.value if isinstance(paths.key, s.Literal) else None
            in_range = isinstance(key, int) and 0 <= key <= _LARGEST_INDEX
            if not (isinstance(key, str) or in_range):
                raise UnboundedError
        elif not isinstance(paths, s.Iterate):
            raise UnboundedError
        paths = paths.target


def _padding(paths: s.Node) -> Growth:
    """What fills arrays up to the indices that are assigned to, at each place."""
    filled = sum(
        part.value
        for part in s.walk(paths)
        if isinstance(part, s.Literal) and isinstance(part.value, int)
    )
    places = sum(isinstance(part, s.Iterate) for part in s.walk(paths))
    return (INPUT * 0.5 if places else ONE) * (5.0 * filled)


# -- functions -------------------------------------------------------------------------------------


def _call(node: s.Call) -> Bound:
    signature = f"{node.name}/{len(node.arguments)}"
    rule = _CALLS.get(signature)
    if rule is not None:
        return rule
    expansion = _EXPANSIONS.get(signature)
    if expansion is not None:
        return _bound(expansion(*node.arguments))
    function = _FUNCTIONS.get(signature)
    if function is not None:
        return function(*node.arguments)
    if signature in MATHEMATICAL and node.name not in ("jn", "yn"):
        found = _product(*(_bound(argument) for argument in node.arguments))
        return Bound(found.count, found.count * 60, found.time)
    raise UnboundedError


_SMALL = """
    infinite/0 nan/0 isinfinite/0 isnan/0 isnormal/0 isfinite/0 abs/0 now/0 not/0 type/0 env/0
    have_decnum/0 have_literal_numbers/0 toboolean/0 mktime/0 fromdate/0 fromdateiso8601/0
"""
"""These give a number, or something as small."""
_CHOOSING = """
    values/0 nulls/0 booleans/0 numbers/0 strings/0 arrays/0 objects/0 iterables/0 scalars/0
    normals/0 finites/0
"""
"""These give their input or nothing."""
_CALLS: dict[str, Bound] = {
    "empty/0": Bound(NOTHING, NOTHING, NOTHING),
    "error/0": Bound(NOTHING, NOTHING, NOTHING),
    **dict.fromkeys(_SMALL.split(), _per_byte(0.0, 20.0)),
    "todate/0": Bound(ONE, constant(60), constant(20 * _STEP)),
    "todateiso8601/0": Bound(ONE, constant(60), constant(20 * _STEP)),
    "gmtime/0": Bound(ONE, constant(90), constant(20 * _STEP)),
    **dict.fromkeys(_CHOOSING.split(), _SAME),
    "length/0": _per_byte(0.0, 5.0),
    "utf8bytelength/0": _per_byte(0.0, 5.0),
    "keys/0": _per_byte(1.0, 250.0),
    "keys_unsorted/0": _per_byte(1.0, 250.0),
    "add/0": _per_byte(1.0, 500.0),
    "any/0": _per_byte(0.0, 500.0),
    "all/0": _per_byte(0.0, 500.0),
    "tojson/0": _per_byte(2.0, 100.0),
    "tostring/0": _per_byte(2.0, 100.0),
    "tonumber/0": _per_byte(1.0, 50.0),
    "ascii_downcase/0": _per_byte(1.0, 1500.0),
    "ascii_upcase/0": _per_byte(1.0, 1500.0),
    "explode/0": _per_byte(8.0, 200.0),
    "implode/0": _per_byte(3.0, 200.0),
    "trim/0": _per_byte(1.0, 20.0),
    "ltrim/0": _per_byte(1.0, 20.0),
    "rtrim/0": _per_byte(1.0, 20.0),
    "reverse/0": _per_byte(1.0, 700.0),
    "sort/0": _per_byte(1.0, 1200.0),
    "unique/0": _per_byte(1.0, 1200.0),
    "min/0": _per_byte(1.0, 300.0),
    "max/0": _per_byte(1.0, 300.0),
    "to_entries/0": _per_byte(6.0, 500.0),
    "from_entries/0": _per_byte(2.0, 500.0),
    "flatten/0": _per_byte(1.0, 1500.0),
    "first/0": _SAME,
    "last/0": _SAME,
    "recurse/0": Bound(
        INPUT * 0.5 + ONE, INPUT * INPUT * 0.25 + INPUT, INPUT * 500.0 + constant(_STEP)
    ),
}

_IDENTITY = s.Identity()
_EACH = s.Iterate(_IDENTITY, False)
_EMPTY = s.Call("empty", (), 0)


def _mapped(body: s.Node) -> s.Node:
    return s.Array(s.Pipe(_EACH, body))


def _tests(each: s.Node, test: s.Node) -> s.Node:
    return s.Array(s.Pipe(each, s.Logic("and", test, s.Literal(True))))


_EXPANSIONS: dict[str, Callable[..., s.Node]] = {
    "map/1": _mapped,
    "select/1": lambda test: s.If(test, _IDENTITY, _EMPTY),
    "error/1": lambda message: s.Pipe(message, _EMPTY),
    "map_values/1": lambda body: s.Assign("|=", _EACH, body),
    "with_entries/1": lambda body: s.Pipe(
        s.Call("to_entries", (), 0), s.Pipe(_mapped(body), s.Call("from_entries", (), 0))
    ),
    "any/1": lambda test: _tests(_EACH, test),
    "all/1": lambda test: _tests(_EACH, test),
    "any/2": _tests,
    "all/2": _tests,
    "IN/1": lambda source: s.Array(s.Binary("==", source, _IDENTITY)),
    "in/1": lambda place: s.Binary("==", place, s.Literal("")),
    "nth/1": lambda index: s.Index(_IDENTITY, index, False),
    "first/1": lambda body: body,
    "last/1": lambda body: body,
    "isempty/1": s.Array,
}
"""What a function does at most, as jq's own definition of it has it."""


def _by(body: s.Node) -> Bound:
    """Sorting by a key, and what is built on it."""
    keys = _bound(_mapped(s.Array(body)))
    return _single(keys, INPUT * 2 + constant(2), (keys.size + INPUT) * 1200)


def _with_text(size: float, time: float) -> Callable[[s.Node], Bound]:
    """A function of the input with a text, each byte of both looked at once or a few times."""

    def bound(text: s.Node) -> Bound:
        given = _bound(text)
        found = _product(_SAME, given)
        return Bound(found.count, found.size * size, found.time + found.size * time)

    return bound


def _looking_within(inner: s.Node) -> Bound:
    """`contains`, `indices`: each part of the one is held against each of the other."""
    given = _bound(inner)
    times = given.size if not _is_scalar(inner) else given.count * 8.0
    return Bound(
        given.count, INPUT * given.count * 5, given.time + (INPUT * times + given.size) * 12
    )


def _has(key: s.Node) -> Bound:
    return _chosen(_product(_SAME, _bound(key)))


def _joined(separator: s.Node) -> Bound:
    given = _bound(separator)
    size = INPUT * 2 * given.count + INPUT * given.size * 0.5
    return Bound(given.count, size, given.time + INPUT * given.count * 2000 + size * 20)


def _added(body: s.Node) -> Bound:
    found = _bound(body)
    return _single(found, found.size, found.count * _STEP + found.size * 300)


def _range(end: s.Node) -> Bound:
    if not (isinstance(end, s.Literal) and isinstance(end.value, int) and end.value <= 1000):
        raise UnboundedError
    steps = constant(max(0, end.value))
    return Bound(steps, steps * 5, steps * _STEP)


def _removed(paths: s.Node) -> Bound:
    _check_simple(paths)
    found = _bound(paths)
    return _single(found, INPUT, INPUT * 20 + found.count * (12 * _STEP))


def _some(count: s.Node, body: s.Node) -> Bound:
    """Not more than all outputs of `body`; how many is written."""
    if not _is_number(count):
        raise UnboundedError
    return _bound(body)


_FUNCTIONS: dict[str, Callable[..., Bound]] = {
    "nth/2": _some,
    "limit/2": _some,
    "skip/2": _some,
    "sort_by/1": _by,
    "group_by/1": _by,
    "unique_by/1": _by,
    "min_by/1": _by,
    "max_by/1": _by,
    "startswith/1": _with_text(1.0, 10.0),
    "endswith/1": _with_text(1.0, 10.0),
    "ltrimstr/1": _with_text(1.0, 10.0),
    "rtrimstr/1": _with_text(1.0, 10.0),
    "trimstr/1": _with_text(1.0, 20.0),
    "split/1": _with_text(4.0, 400.0),
    "contains/1": _looking_within,
    "inside/1": _looking_within,
    "indices/1": _looking_within,
    "index/1": _looking_within,
    "rindex/1": _looking_within,
    "has/1": _has,
    "join/1": _joined,
    "add/1": _added,
    "range/1": _range,
    "del/1": _removed,
}

_RULES: dict[type, Callable[[Any], Bound]] = {
    s.Identity: lambda _: Bound(ONE, INPUT, NOTHING),
    s.Literal: _literal,
    s.Variable: lambda _: Bound(ONE, VARIABLES, NOTHING),
    s.Location: lambda _: _NUMBER,
    s.Negate: lambda node: _bound(node.operand),
    s.Index: _index,
    s.Slice: _slice,
    s.Iterate: _iterate,
    s.Try: _try,
    s.Alternative: _alternative,
    s.Pipe: lambda node: _piped(_bound(node.left), _bound(node.right)),
    s.Comma: lambda node: reduce(_both, map(_bound, node.parts)),
    s.Binary: _binary,
    s.Logic: _logic,
    s.If: _if,
    s.Array: _array,
    s.Object: _object,
    s.Text: _text,
    s.Format: _format,
    s.Bind: _bind,
    s.Assign: _assign,
    s.Call: _call,
}
