"""The parts that documents and tasks share (dsl-reference.md)."""

from perdure.openworkflow import formats
from perdure.openworkflow.expressions import is_expression
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector
from perdure.openworkflow.validation.shapes import (
    Anything,
    Choice,
    Integer,
    Items,
    Object,
    Shape,
    Text,
    Word,
)

TEXT = Text()
ANY = Anything()
ANY_OBJECT = Object("", open=True)
TEXTS = Items(TEXT)
TEXTS_BY_NAME = Object("names with texts", rest=TEXT)

EXPRESSION = Text("an expression, ${ … }", is_expression)
LOCATION = Text("a URI or URI template", formats.is_location)
LOCATION_OR_EXPRESSION = Text(
    "a URI, a URI template or an expression", formats.is_location_or_expression
)
TEXT_OR_OBJECT = Choice(TEXT, ANY_OBJECT)

DURATION = Choice(
    Text('a duration such as "PT1M30S", {minutes: 1} or ${ .delay }', formats.is_duration),
    Object(
        "a duration",
        dict.fromkeys(("days", "hours", "minutes", "seconds", "milliseconds"), Integer()),
        least=1,
    ),
    expected='a duration such as "PT1M30S" or {minutes: 1}',
)

TIMEOUT_POLICY = Object("a timeout", {"after": DURATION}, required=["after"])
TIMEOUT = Choice(
    TIMEOUT_POLICY, TEXT, expected="a timeout such as {after: PT1M}, or the name of one"
)

# -- authentication --------------------------------------------------------------------------


def _secret_or(what: str, properties: dict[str, Text]) -> Object:
    """Properties that stand here, all of them, or the name of a secret that has them."""

    def rule(node: Node, found: Collector) -> None:
        members = node.members or {}
        for name in properties:
            if "use" in members and name in members:
                found.report_key(
                    node, name, f"{what} has use already: the secret holds {name}, or remove use"
                )
            elif "use" not in members and name not in members and members:
                found.report(node, f"{what} needs the property {name}, which is missing")
        if not members:
            found.report(node, f"{what} needs {' and '.join(properties)}, or use with a secret")

    return Object(what, {**properties, "use": _SECRET_NAME}, rules=[rule])


_SECRET_NAME = Text("the name of a secret", bool)
_TOKEN = Object("a token", {"token": TEXT, "type": TEXT}, required=["token", "type"])
_OAUTH: dict[str, Shape] = {
    "authority": LOCATION,
    "grant": Word(
        "authorization_code",
        "client_credentials",
        "password",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ),
    "client": Object(
        "an OAuth2 client",
        {
            "id": TEXT,
            "secret": TEXT,
            "assertion": TEXT,
            "authentication": Word(
                "client_secret_basic",
                "client_secret_post",
                "client_secret_jwt",
                "private_key_jwt",
                "none",
            ),
        },
    ),
    "request": Object(
        "an OAuth2 request",
        {"encoding": Word("application/x-www-form-urlencoded", "application/json")},
        open=True,
    ),
    "issuers": TEXTS,
    "scopes": TEXTS,
    "audiences": TEXTS,
    "username": TEXT,
    "password": TEXT,
    "subject": _TOKEN,
    "actor": _TOKEN,
}
_URI_TEMPLATE = Text("a URI template", formats.is_template)
_OAUTH_ENDPOINTS = Object(
    "OAuth2 endpoints",
    dict.fromkeys(("token", "revocation", "introspection"), _URI_TEMPLATE),
    open=True,
)


class _OpenId:
    """Authentication by OAuth2 or OpenID Connect, here or in a secret."""

    expected = "an object"

    def __init__(self, what: str, properties: dict[str, Shape]) -> None:
        self._here = Object(
            what,
            {**_OAUTH, **properties},
            required=["authority", "grant"],
        )
        self._secret = Object(f"{what} with a secret", {"use": _SECRET_NAME}, required=["use"])

    def fits(self, value: object) -> bool:
        return isinstance(value, dict)

    def check(self, node: Node, found: Collector) -> None:
        (self._here if node.member("use") is None else self._secret).check(node, found)


SCHEMES = ("basic", "bearer", "digest", "oauth2", "oidc")
"""The kinds of authentication."""
_SCHEMES: dict[str, Shape] = {
    "basic": _secret_or("basic authentication", {"username": TEXT, "password": TEXT}),
    "bearer": _secret_or("bearer authentication", {"token": TEXT}),
    "digest": _secret_or("digest authentication", {"username": TEXT, "password": TEXT}),
    "oauth2": _OpenId("OAuth2 authentication", {"endpoints": _OAUTH_ENDPOINTS}),
    "oidc": _OpenId("OpenID Connect authentication", {}),
}
AUTHENTICATION_POLICY = Object("an authentication policy", _SCHEMES, open=True, one_of=[SCHEMES])
AUTHENTICATION = Object(
    "an authentication",
    {"use": Text("the name of an authentication", bool), **_SCHEMES},
    one_of=[("use", *SCHEMES)],
)

# -- places ----------------------------------------------------------------------------------

ENDPOINT = Choice(
    LOCATION_OR_EXPRESSION,
    Object(
        "an endpoint",
        {"uri": LOCATION_OR_EXPRESSION, "authentication": AUTHENTICATION},
        required=["uri"],
    ),
    expected="an endpoint: a URI, a URI template, an expression, or an object with uri",
)
RESOURCE = Object(
    "an external resource", {"name": TEXT, "endpoint": ENDPOINT}, required=["endpoint"]
)
CATALOG = Object("a catalog", {"endpoint": ENDPOINT}, required=["endpoint"])

# -- data ------------------------------------------------------------------------------------

SCHEMA = Object(
    "a schema",
    {"format": TEXT, "document": ANY, "resource": RESOURCE},
    one_of=[("document", "resource")],
)
INPUT = Object("input", {"schema": SCHEMA, "from": TEXT_OR_OBJECT})
OUTPUT = Object("output", {"schema": SCHEMA, "as": TEXT_OR_OBJECT})
EXPORT = Object("export", {"schema": SCHEMA, "as": TEXT_OR_OBJECT})

# -- errors ----------------------------------------------------------------------------------

ERROR = Object(
    "an error",
    {
        "type": LOCATION_OR_EXPRESSION,
        "status": Integer(),
        "instance": Text(
            "a JSON pointer such as /do/0/getPet, or an expression",
            formats.is_pointer_or_expression,
        ),
        "title": TEXT,
        "detail": TEXT,
    },
    required=["type", "status"],
)
ERROR_FILTER = Object(
    "an error filter",
    {"type": TEXT, "status": Integer(), "instance": TEXT, "title": TEXT, "detail": TEXT},
    least=1,
)
RETRY_POLICY = Object(
    "a retry policy",
    {
        "when": TEXT,
        "exceptWhen": TEXT,
        "delay": DURATION,
        "backoff": Object(
            "a backoff",
            dict.fromkeys(("constant", "exponential", "linear"), ANY_OBJECT),
            one_of=[("constant", "exponential", "linear")],
        ),
        "limit": Object(
            "a retry limit",
            {
                "attempt": Object("an attempt limit", {"count": Integer(), "duration": DURATION}),
                "duration": DURATION,
            },
        ),
        "jitter": Object("a jitter", {"from": DURATION, "to": DURATION}, required=["from", "to"]),
    },
)

# -- events ----------------------------------------------------------------------------------


def _event(what: str, *, required: tuple[str, ...] = (), least: int = 0) -> Object:
    return Object(
        what,
        {
            "id": TEXT,
            "source": LOCATION_OR_EXPRESSION,
            "type": TEXT,
            "time": Text(
                "a date and time such as 2024-05-01T12:00:00Z, or an expression",
                formats.is_moment_or_expression,
            ),
            "subject": TEXT,
            "datacontenttype": TEXT,
            "dataschema": LOCATION_OR_EXPRESSION,
            "data": ANY,
        },
        required=required,
        least=least,
        open=True,
    )


EMITTED_EVENT = _event("an event to emit", required=("type",))
EVENT_FILTER = Object(
    "an event filter",
    {
        "with": _event("the filter of an event", least=1),
        "correlate": Object(
            "correlations",
            rest=Object(
                "a correlation", {"from": TEXT, "expect": TEXT}, required=["from"], open=True
            ),
        ),
    },
    required=["with"],
)


def _only_any(node: Node, found: Collector) -> None:
    members = node.members or {}
    if "until" in members and "any" not in members:
        found.report_key(node, "until", "until goes with any: remove until, or take any")


_STRATEGIES = ("all", "any", "one")
_UNTIL_EVENTS = Object(
    "until",
    {"all": Items(EVENT_FILTER), "any": Items(EVENT_FILTER), "one": EVENT_FILTER},
    one_of=[_STRATEGIES],
)
EVENTS = Object(
    "an event consumption strategy",
    {
        "all": Items(EVENT_FILTER),
        "any": Items(EVENT_FILTER),
        "one": EVENT_FILTER,
        "until": Choice(TEXT, _UNTIL_EVENTS, expected="an expression, or events"),
    },
    one_of=[_STRATEGIES],
    rules=[_only_any],
)
