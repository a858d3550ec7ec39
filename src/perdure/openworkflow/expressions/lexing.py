"""The words of jq (1.8, `lexer.l`): an expression's source as tokens, its brackets balanced.

Whatever jq's own lexer refuses is refused here, and nothing else. So text that has passed cannot
close a parenthesis that it did not open, nor comment one out (`without_comments`), and what is
built around it stays around it.
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from perdure.openworkflow.errors import ExpressionError

LONGEST_SOURCE = 16_384
"""Characters that an expression may have."""
DEEPEST = 64
"""How deep its brackets may be nested."""

Kind = Literal[
    "name",
    "field",
    "variable",
    "number",
    "format",
    "keyword",
    "symbol",
    "string",
    "text",
    "interpolation",
    "interpolated",
    "string end",
    "end",
]

KEYWORDS = frozenset(
    {
        "as", "import", "include", "module", "def", "if", "then", "else", "elif", "and", "or",
        "end", "reduce", "foreach", "try", "catch", "label", "break",
    }
)  # fmt: skip

_NAME = r"(?:[a-zA-Z_][a-zA-Z_0-9]*::)*[a-zA-Z_][a-zA-Z_0-9]*"
_WORD = re.compile(
    rf"""
    (?P<space>[\ \r\n\t]+)
  | (?P<comment>\#(?:\\(?:\\|\r?\n)|[^\n])*)
  | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<field>\.[a-zA-Z_][a-zA-Z_0-9]*)
  | (?P<variable>\${_NAME})
  | (?P<name>{_NAME})
  | (?P<format>@[a-zA-Z0-9_]+)
  | (?P<symbol>\?//|//=|!=|==|//|\|=|\+=|-=|\*=|/=|%=|<=|>=|\.\.|[.?=;,:|+\-*/%<>])
  | (?P<open>[\[{{(])
  | (?P<close>[\]}})])
  | (?P<quote>")
    """,
    re.VERBOSE,
)
_STRING = re.compile(
    r"""(?P<escapes>(?:\\[^u(]|\\u[a-zA-Z0-9]{0,4})+)|(?P<raw>[^\\"]+)|(?P<open>\\\()|(?P<quote>")""",
    re.DOTALL,
)
_CLOSES = {"[": "]", "{": "}", "(": ")", "\\(": ")"}
_MARKS = frozenset("[{(")


class Token(msgspec.Struct, frozen=True, gc=False):
    """A word: `text` as it acts (a field without its dot, a text unescaped), `at` its offset."""

    kind: Kind
    text: str
    at: int


class Lexed(msgspec.Struct, frozen=True):
    """An expression's tokens, the last of kind "end", and its source without comments."""

    source: str
    tokens: list[Token]
    without_comments: str


def lex(source: str) -> Lexed:
    """Take an expression apart. Raises ExpressionError, saying where."""
    if len(source) > LONGEST_SOURCE:
        raise ExpressionError(
            f"the expression has {len(source):,} characters, and may have {LONGEST_SOURCE:,}"
        )
    comments: list[tuple[int, int]] = []
    tokens = list(_words(source, comments))
    if len(tokens) == 1:
        raise ExpressionError("the expression is empty: write `.` for the value itself")
    for token in tokens:
        if not token.text.isascii() and token.kind == "name":
            raise failed(source, token.at, f"{token.text!r} is no name of jq's")
    return Lexed(source, tokens, _cut(source, comments))


def failed(source: str, at: int, reason: str) -> ExpressionError:
    """The error for what is wrong at an offset."""
    shown = source if len(source) <= 120 else f"{source[:120]}…"
    if "\n" in source[:at]:
        line = source.count("\n", 0, at) + 1
        place = f"line {line}, character {at - source.rfind(chr(10), 0, at)}"
    else:
        place = f"character {at + 1}"
    return ExpressionError(f"the expression `{shown}` does not compile: {reason}, at {place}")


def _words(source: str, comments: list[tuple[int, int]]) -> Iterator[Token]:
    at = 0
    open_: list[tuple[str, int]] = []
    in_string = False
    while at < len(source):
        match = (_STRING if in_string else _WORD).match(source, at)
        if match is None:
            raise _refused(source, at, in_string)
        kind, text = match.lastgroup, match.group()
        if kind == "comment":
            comments.append(match.span())
        elif kind == "quote":
            if in_string:
                open_.pop()
            else:
                _open(open_, '"', at, source)
            yield Token("string end" if in_string else "string", text, at)
            in_string = not in_string
        elif kind == "open":
            _open(open_, text, at, source)
            yield Token("interpolation" if in_string else "symbol", text, at)
            in_string = False
        elif kind == "close":
            opener, _ = open_[-1] if open_ else ("", 0)
            if _CLOSES.get(opener) != text:
                raise _unbalanced(source, at, text, opener)
            open_.pop()
            in_string = opener == "\\("
            yield Token("interpolated" if in_string else "symbol", text, at)
        elif kind == "escapes":
            yield Token("text", _unescaped(source, at, text), at)
        elif kind != "space":
            yield _plain(kind, text, at)
        at = match.end()
    if open_:
        opener, begun = open_[-1]
        what = "the string" if opener == '"' else f"`{opener}`"
        raise failed(source, begun, f"{what} is not closed")
    yield Token("end", "", len(source))


def _plain(kind: str | None, text: str, at: int) -> Token:
    if kind == "name":
        return Token("keyword" if text in KEYWORDS else "name", text, at)
    if kind == "field":
        return Token("field", text[1:], at)
    if kind == "variable":
        return Token("variable", text[1:], at)
    if kind == "format":
        return Token("format", text[1:], at)
    if kind == "number":
        return Token("number", text, at)
    if kind == "raw":
        return Token("text", text, at)
    return Token("symbol", text, at)


def _open(open_: list[tuple[str, int]], opener: str, at: int, source: str) -> None:
    if len(open_) >= DEEPEST:
        raise failed(source, at, f"it is nested deeper than {DEEPEST} brackets")
    open_.append((opener, at))


def _unescaped(source: str, at: int, escapes: str) -> str:
    try:
        text = msgspec.json.decode(f'"{escapes}"', type=str)
        text.encode()
    except (msgspec.DecodeError, UnicodeError):
        raise failed(source, at, f"`{escapes[:20]}` is no escape that JSON has") from None
    return text


def _unbalanced(source: str, at: int, text: str, opener: str) -> ExpressionError:
    if opener:
        return failed(source, at, f"`{text}` does not close `{opener}`")
    return failed(source, at, f"`{text}` closes nothing")


def _refused(source: str, at: int, in_string: bool) -> ExpressionError:
    if in_string:
        return failed(source, at, "the escape in this string is not complete")
    character = source[at]
    if character == "'":
        return failed(source, at, "strings stand in double quotes in jq, not in single ones")
    if character == "&":
        return failed(source, at, '`&` is no operator of jq\'s: write "and"')
    if character == "!":
        return failed(source, at, '`!` is no operator of jq\'s: write "| not"')
    if character == "$":
        return failed(source, at, "`$` is not followed by a name")
    return failed(source, at, f"{character!r} has no meaning in jq")


def _cut(source: str, comments: list[tuple[int, int]]) -> str:
    parts = []
    begin = 0
    for start, end in comments:
        parts.append(source[begin:start])
        begin = end
    parts.append(source[begin:])
    return " ".join(parts) if comments else source
