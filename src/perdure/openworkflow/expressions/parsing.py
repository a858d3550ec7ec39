"""The grammar of jq (1.8, `parser.y`): tokens to a tree, by precedence.

What jq accepts is accepted, and nothing else; a test over generated sources holds it. The depth of
the tree is bounded, so that those who walk it need no guard of their own.
"""

from collections.abc import Callable

from perdure.openworkflow.errors import ExpressionError
from perdure.openworkflow.expressions import syntax as s
from perdure.openworkflow.expressions.lexing import Kind, Lexed, Token, failed, lex

DEEPEST = 120
"""How deep the parts of a source may stand in one another; some count twice."""
DEEPEST_TREE = 250
"""How deep its tree may be; a chain of operators is as deep as it is long."""

_ASSIGNMENTS = ("=", "|=", "+=", "-=", "*=", "/=", "%=", "//=")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_LEVELS: dict[str, int] = {
    "//": 0,
    **dict.fromkeys(_ASSIGNMENTS, 1),
    "or": 2,
    "and": 3,
    **dict.fromkeys(_COMPARISONS, 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "%"), 6),
}
_RIGHT = 0
_ALONE = (1, 4)
"""The levels whose operators do not follow each other."""
_NOTHING = s.Identity()
"""Stands for what is still to come."""
_Wrap = Callable[[s.Node], s.Node]
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_LONGEST_WHOLE = 400
"""Digits of an integer that is read as one; more make an infinite double anyway."""
_REFUSED_KEYWORDS = {
    "import": "modules cannot be imported: an expression is evaluated with nothing around it",
    "include": "modules cannot be included: an expression is evaluated with nothing around it",
    "module": "an expression is no module",
}


def parse(source: str) -> tuple[Lexed, s.Node]:
    """The tree of an expression. Raises ExpressionError, saying what is wrong and where."""
    lexed = lex(source)
    parser = _Parser(lexed)
    node = parser.query()
    parser.expect("end", "", "an operator or the end of the expression")
    if s.depth(node) > DEEPEST_TREE:
        raise failed(source, 0, f"its operators and parts are more than {DEEPEST_TREE} deep")
    return lexed, node


class _Parser:
    """Descends by precedence; `_position` is the next token's."""

    def __init__(self, lexed: Lexed) -> None:
        self._tokens = lexed.tokens
        self._source = lexed.source
        self._position = 0
        self._depth = 0

    # -- tokens ------------------------------------------------------------------------------------

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._tokens[self._position]
        self._position += 1
        return token

    def _at(self, kind: Kind, *texts: str) -> bool:
        token = self._tokens[self._position]
        return token.kind == kind and (not texts or token.text in texts)

    def _accept(self, kind: Kind, *texts: str) -> bool:
        if self._at(kind, *texts):
            self._position += 1
            return True
        return False

    def expect(self, kind: Kind, text: str, what: str) -> Token:
        """Take a token. Raises ExpressionError where another comes."""
        if not self._at(kind, *([text] if text else [])):
            raise self._unexpected(what)
        return self._take()

    def _symbol(self, text: str) -> None:
        self.expect("symbol", text, f"`{text}`")

    def _keyword(self, text: str) -> None:
        self.expect("keyword", text, f"`{text}`")

    def _unexpected(self, expected: str) -> ExpressionError:
        token = self._next
        if token.kind == "keyword" and token.text in _REFUSED_KEYWORDS:
            return failed(self._source, token.at, _REFUSED_KEYWORDS[token.text])
        if token.kind == "symbol" and token.text == "?//":
            reason = "`?//` stands between patterns only: write `? //` for an alternative"
            return failed(self._source, token.at, reason)
        found = {
            "end": "it ends",
            "string": "a string comes",
            "interpolated": "`)` comes",
        }.get(token.kind, f"`{_shown(token)}` comes")
        return failed(self._source, token.at, f"{found} where {expected} was expected")

    # -- queries: pipes, commas, bindings ----------------------------------------------------------

    def query(self) -> s.Node:
        """Anything. What a definition, a label or a binding is for reaches as far as it can."""
        self._descend()
        begun: list[tuple[_Wrap, list[list[s.Node]]]] = []
        parts: list[list[s.Node]] = []
        """What stands between pipes, and there between commas."""
        comma = False
        while True:
            node, wrap = self._head()
            if wrap is not None:
                begun.append((wrap, parts if comma else [*parts, []]))
                parts, comma = [], False
                continue
            _add(parts, node, comma)
            comma = self._accept("symbol", ",")
            if not comma and not self._accept("symbol", "|"):
                break
        node = _piped(parts)
        while begun:
            wrap, parts = begun.pop()
            parts[-1].append(wrap(node))
            node = _piped(parts)
        self._depth -= 1
        return node

    def _head(self) -> tuple[s.Node, "_Wrap | None"]:
        """What stands between commas; with what is to be put around the rest of the query."""
        if self._at("keyword", "def"):
            return _NOTHING, self._definition()
        if self._accept("keyword", "label"):
            name = self.expect("variable", "", "a name with `$`").text
            self._symbol("|")
            return _NOTHING, lambda rest: s.Label(name, rest)
        node = self._expression()
        if not self._accept("keyword", "as"):
            return node, None
        patterns = self._patterns()
        self._symbol("|")
        return _NOTHING, lambda rest: s.Bind(node, patterns, rest)

    def _definition(self) -> "_Wrap":
        self._take()
        name = self.expect("name", "", "the name of a function").text
        parameters: list[str] = []
        if self._accept("symbol", "("):
            parameters.append(self._parameter())
            while self._accept("symbol", ";"):
                parameters.append(self._parameter())
            self._symbol(")")
        self._symbol(":")
        body = self.query()
        self._symbol(";")
        return lambda rest: s.Define(name, tuple(parameters), body, rest)

    def _parameter(self) -> str:
        if self._at("variable"):
            return f"${self._take().text}"
        return self.expect("name", "", "the name of a parameter").text

    # -- operators ---------------------------------------------------------------------------------

    def _expression(self, lowest: int = 0) -> s.Node:
        """Operators of a level that is not below `lowest`."""
        self._descend()
        left = self._postfix()
        while True:
            token = self._next
            level = _LEVELS.get(token.text) if token.kind in ("symbol", "keyword") else None
            if level is None or level < lowest:
                self._depth -= 1
                return left
            self._take()
            right = self._expression(level if level == _RIGHT else level + 1)
            left = _applied(token.text, left, right)
            after = self._next
            if level in _ALONE and after.kind == "symbol" and _LEVELS.get(after.text) == level:
                raise self._unexpected("no second operator of the kind (write parentheses)")

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise failed(self._source, self._next.at, "it is nested too deeply")

    # -- terms -------------------------------------------------------------------------------------

    def _postfix(self) -> s.Node:
        """A term with all that follows it: ``.a``, ``[…]``, ``?``."""
        node = self._term()
        while True:
            token = self._next
            if token.kind == "field":
                self._take()
                node = s.Index(node, s.Literal(token.text), self._optional())
            elif token.kind != "symbol":
                return node
            elif token.text == "?":
                self._take()
                node = s.Try(node, None)
            elif token.text == "[":
                self._take()
                node = self._bracket(node, slices=True)
            elif token.text == ".":
                after = self._tokens[self._position + 1]
                if after.kind in ("string", "format"):
                    self._take()
                    node = s.Index(node, self._string(), self._optional())
                elif after.kind == "symbol" and after.text == "[":
                    self._position += 2
                    node = self._bracket(node, slices=False)
                else:
                    self._take()
                    raise self._unexpected("a field, a string or `[` after `.`")
            else:
                return node

    def _optional(self) -> bool:
        return self._accept("symbol", "?")

    def _bracket(self, target: s.Node, *, slices: bool) -> s.Node:
        """What stands in brackets after a term; jq has no slices after ``.[``."""
        if self._accept("symbol", "]"):
            return s.Iterate(target, self._optional())
        if slices and self._accept("symbol", ":"):
            end = self.query()
            self._symbol("]")
            return s.Slice(target, None, end, self._optional())
        key = self.query()
        if slices and self._accept("symbol", ":"):
            last = None if self._at("symbol", "]") else self.query()
            self._symbol("]")
            return s.Slice(target, key, last, self._optional())
        self._symbol("]")
        return s.Index(target, key, self._optional())

    def _term(self) -> s.Node:
        token = self._next
        make = _TERMS.get((token.kind, token.text)) or _TERMS.get((token.kind, ""))
        if make is None:
            if token.kind == "symbol" and token.text == "-":
                self._take()
                return s.Negate(self._operand())
            raise self._unexpected("a value")
        return make(self)

    def _operand(self) -> s.Node:
        """The term that a prefix is for."""
        self._descend()
        node = self._postfix()
        self._depth -= 1
        return node

    def _dot(self) -> s.Node:
        self._take()
        if self._at("string") or self._at("format"):
            return s.Index(s.Identity(), self._string(), self._optional())
        if self._at("name") or self._at("number"):
            raise self._unexpected('a field (write `.["name"]` for unusual names)')
        return s.Identity()

    def _recurse(self) -> s.Node:
        return s.Call("recurse", (), self._take().at)

    def _field(self) -> s.Node:
        name = self._take().text
        return s.Index(s.Identity(), s.Literal(name), self._optional())

    def _number(self) -> s.Node:
        text = self._take().text
        digits = text.removesuffix(".")
        whole = digits.isdigit() and len(digits) <= _LONGEST_WHOLE
        return s.Literal(int(digits) if whole else float(text))

    def _variable(self) -> s.Node:
        token = self._take()
        return s.Location() if token.text == "__loc__" else s.Variable(token.text, token.at)

    def _formatted(self) -> s.Node:
        if self._tokens[self._position + 1].kind == "string":
            return self._string()
        return s.Format(self._take().text)

    def _string(self) -> s.Node:
        format_ = self._take().text if self._at("format") else None
        self.expect("string", "", "a string")
        parts: list[str | s.Node] = []
        while not self._accept("string end"):
            if self._accept("interpolation"):
                parts.append(self.query())
                self.expect("interpolated", "", "`)`")
            else:
                parts.append(self._take().text)
        if all(isinstance(part, str) for part in parts):
            return s.Literal("".join(part for part in parts if isinstance(part, str)))
        return s.Text(format_, tuple(parts))

    def _parenthesis(self) -> s.Node:
        self._take()
        node = self.query()
        self._symbol(")")
        return node

    def _array(self) -> s.Node:
        self._take()
        if self._accept("symbol", "]"):
            return s.Array(None)
        body = self.query()
        self._symbol("]")
        return s.Array(body)

    def _call(self) -> s.Node:
        token = self._take()
        if self._accept("symbol", "("):
            arguments = [self.query()]
            while self._accept("symbol", ";"):
                arguments.append(self.query())
            self._symbol(")")
            return s.Call(token.text, tuple(arguments), token.at)
        if token.text in _CONSTANTS:
            return s.Literal(_CONSTANTS[token.text])
        return s.Call(token.text, (), token.at)

    # -- words -------------------------------------------------------------------------------------

    def _if(self) -> s.Node:
        self._take()
        condition = self.query()
        self._keyword("then")
        consequence = self.query()
        if self._at("keyword", "elif"):
            self._descend()
            otherwise = self._if()
            self._depth -= 1
            return s.If(condition, consequence, otherwise)
        last = self.query() if self._accept("keyword", "else") else None
        self.expect("keyword", "end", "`end`, `else` or `elif`")
        return s.If(condition, consequence, last)

    def _try(self) -> s.Node:
        self._take()
        body = self._operand()
        handler = self._operand() if self._accept("keyword", "catch") else None
        return s.Try(body, handler)

    def _reduce(self) -> s.Node:
        self._take()
        source, patterns = self._loop_head()
        initial = self.query()
        self._symbol(";")
        update = self.query()
        self._symbol(")")
        return s.Reduce(source, patterns, initial, update)

    def _foreach(self) -> s.Node:
        self._take()
        source, patterns = self._loop_head()
        initial = self.query()
        self._symbol(";")
        update = self.query()
        extract = self.query() if self._accept("symbol", ";") else None
        self._symbol(")")
        return s.Foreach(source, patterns, initial, update, extract)

    def _loop_head(self) -> tuple[s.Node, tuple[s.Pattern, ...]]:
        source = self._expression()
        self._keyword("as")
        patterns = self._patterns()
        self._symbol("(")
        return source, patterns

    def _break(self) -> s.Node:
        at = self._take().at
        return s.Break(self.expect("variable", "", "the name of a label, with `$`").text, at)

    # -- objects and patterns ----------------------------------------------------------------------

    def _object(self) -> s.Node:
        self._take()
        entries: list[tuple[s.Node, s.Node]] = []
        while not self._at("symbol", "}"):
            entries.append(self._entry())
            if not self._accept("symbol", ","):
                break
        self.expect("symbol", "}", "`,` or `}`")
        return s.Object(tuple(entries))

    def _entry(self) -> tuple[s.Node, s.Node]:
        token = self._next
        if token.kind == "variable":
            variable = self._variable()
            if self._at("symbol", ":") and not isinstance(variable, s.Location):
                return variable, self._entry_value()
            return s.Literal(token.text), variable
        if token.kind in ("name", "keyword"):
            self._take()
            key: s.Node = s.Literal(token.text)
        elif token.kind in ("string", "format"):
            key = self._string()
        else:
            return self._computed_key(), self._entry_value()
        if self._at("symbol", ":"):
            return key, self._entry_value()
        return key, s.Index(s.Identity(), key, False)

    def _computed_key(self) -> s.Node:
        if not self._at("symbol", "("):
            raise self._unexpected("a key (a name, a string, or `(…)`)")
        at = self._next.at
        key = self._parenthesis()
        if isinstance(key, s.Literal) and not isinstance(key.value, str):
            raise failed(self._source, at, "the key of an object has to be a string")
        return key

    def _entry_value(self) -> s.Node:
        self._symbol(":")
        value = self._expression()
        parts = [[value]]
        while self._accept("symbol", "|"):
            parts.append([self._expression()])
        return _piped(parts)

    def _patterns(self) -> tuple[s.Pattern, ...]:
        patterns = [self._pattern()]
        while self._accept("symbol", "?//"):
            patterns.append(self._pattern())
        return tuple(patterns)

    def _pattern(self) -> s.Pattern:
        if self._at("variable"):
            return s.NamePattern(self._take().text)
        if self._accept("symbol", "["):
            items = [self._pattern()]
            while self._accept("symbol", ","):
                items.append(self._pattern())
            self._symbol("]")
            return s.ArrayPattern(tuple(items))
        self.expect("symbol", "{", "a name with `$`, `[` or `{`")
        entries = [self._pattern_entry()]
        while self._accept("symbol", ","):
            entries.append(self._pattern_entry())
        self._symbol("}")
        return s.ObjectPattern(tuple(entries))

    def _pattern_entry(self) -> tuple[s.Node, str | None, s.Pattern | None]:
        token = self._next
        if token.kind == "variable":
            self._take()
            pattern = self._pattern() if self._accept("symbol", ":") else None
            return s.Literal(token.text), token.text, pattern
        if token.kind in ("name", "keyword"):
            self._take()
            key: s.Node = s.Literal(token.text)
        elif token.kind in ("string", "format"):
            key = self._string()
        else:
            key = self._computed_key()
        self._symbol(":")
        return key, None, self._pattern()


_TERMS: dict[tuple[str, str], Callable[[_Parser], s.Node]] = {
    ("symbol", "."): _Parser._dot,
    ("symbol", ".."): _Parser._recurse,
    ("symbol", "("): _Parser._parenthesis,
    ("symbol", "["): _Parser._array,
    ("symbol", "{"): _Parser._object,
    ("field", ""): _Parser._field,
    ("number", ""): _Parser._number,
    ("variable", ""): _Parser._variable,
    ("format", ""): _Parser._formatted,
    ("string", ""): _Parser._string,
    ("name", ""): _Parser._call,
    ("keyword", "if"): _Parser._if,
    ("keyword", "try"): _Parser._try,
    ("keyword", "reduce"): _Parser._reduce,
    ("keyword", "foreach"): _Parser._foreach,
    ("keyword", "break"): _Parser._break,
}


def _applied(operator: str, left: s.Node, right: s.Node) -> s.Node:
    if operator in ("and", "or"):
        return s.Logic(operator, left, right)
    if operator == "//":
        return s.Alternative(left, right)
    if operator in _ASSIGNMENTS:
        return s.Assign(operator, left, right)
    return s.Binary(operator, left, right)


def _add(parts: list[list[s.Node]], node: s.Node, comma: bool) -> None:
    if comma:
        parts[-1].append(node)
    else:
        parts.append([node])


def _piped(parts: list[list[s.Node]]) -> s.Node:
    nodes = [part[0] if len(part) == 1 else s.Comma(tuple(part)) for part in parts]
    node = nodes.pop()
    while nodes:
        node = s.Pipe(nodes.pop(), node)
    return node


def _shown(token: Token) -> str:
    prefix = {"field": ".", "variable": "$", "format": "@"}.get(token.kind, "")
    return f"{prefix}{token.text[:40]}"
