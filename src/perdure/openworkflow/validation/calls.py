"""What the arguments of each kind of call are (dsl-reference.md, "Call")."""

from perdure.openworkflow import formats
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector
from perdure.openworkflow.validation.parts import (
    ANY,
    ANY_OBJECT,
    AUTHENTICATION,
    DURATION,
    ENDPOINT,
    EXPRESSION,
    RESOURCE,
    TEXT,
    TEXT_OR_OBJECT,
    TEXTS,
    TEXTS_BY_NAME,
)
from perdure.openworkflow.validation.shapes import (
    Boolean,
    Choice,
    Integer,
    Object,
    Shape,
    Text,
    Word,
)

_TEXTS_OR_EXPRESSION = Choice(
    TEXTS_BY_NAME, EXPRESSION, expected="an object of names and texts, or an expression"
)
_OUTPUT = Word("raw", "content", "response")

HTTP = Object(
    "an HTTP call",
    {
        "method": TEXT,
        "endpoint": ENDPOINT,
        "headers": _TEXTS_OR_EXPRESSION,
        "body": ANY,
        "query": _TEXTS_OR_EXPRESSION,
        "output": _OUTPUT,
        "redirect": Boolean(),
    },
    required=["method", "endpoint"],
)
OPENAPI = Object(
    "an OpenAPI call",
    {
        "document": RESOURCE,
        "operationId": TEXT,
        "parameters": ANY_OBJECT,
        "authentication": AUTHENTICATION,
        "output": _OUTPUT,
        "redirect": Boolean(),
    },
    required=["document", "operationId"],
)
GRPC = Object(
    "a gRPC call",
    {
        "proto": RESOURCE,
        "service": Object(
            "a gRPC service",
            {
                "name": TEXT,
                "host": Text("the name or IPv4 address of a host", formats.is_host),
                "port": Integer(0, 65535),
                "authentication": AUTHENTICATION,
            },
            required=["name", "host"],
        ),
        "method": TEXT,
        "arguments": ANY_OBJECT,
    },
    required=["proto", "service", "method"],
)
A2A = Object(
    "an A2A call",
    {
        "agentCard": RESOURCE,
        "server": ENDPOINT,
        "method": Word(
            "message/send",
            "message/stream",
            "tasks/get",
            "tasks/list",
            "tasks/cancel",
            "tasks/resubscribe",
            "tasks/pushNotificationConfig/set",
            "tasks/pushNotificationConfig/get",
            "tasks/pushNotificationConfig/list",
            "tasks/pushNotificationConfig/delete",
            "agent/getAuthenticatedExtendedCard",
        ),
        "parameters": Choice(TEXT, Object("parameters", open=True, least=1)),
    },
    required=["method"],
)
MCP = Object(
    "an MCP call",
    {
        "protocolVersion": TEXT,
        "method": Word(
            "tools/list",
            "tools/call",
            "prompts/list",
            "prompts/get",
            "resources/list",
            "resources/read",
            "resources/templates/list",
        ),
        "parameters": TEXT_OR_OBJECT,
        "timeout": DURATION,
        "transport": Object(
            "an MCP transport",
            {
                "http": Object(
                    "an HTTP transport",
                    {"endpoint": ENDPOINT, "headers": TEXTS_BY_NAME},
                    required=["endpoint"],
                    open=True,
                ),
                "stdio": Object(
                    "a transport over a process",
                    {"command": TEXT, "arguments": TEXTS, "environment": TEXTS_BY_NAME},
                    required=["command"],
                    open=True,
                ),
                "options": TEXTS_BY_NAME,
            },
            one_of=[("http", "stdio")],
            open=True,
        ),
        "client": Object(
            "an MCP client",
            {"name": TEXT, "version": TEXT},
            required=["name", "version"],
            open=True,
        ),
    },
    required=["method", "transport"],
    open=True,
)

# -- AsyncAPI --------------------------------------------------------------------------------


def asyncapi(iterator: Shape) -> Object:
    """The arguments of an AsyncAPI call; `iterator` is the shape of what is done per message."""
    subscription = Object(
        "a subscription",
        {
            "filter": EXPRESSION,
            "consume": Object(
                "consume",
                {
                    "for": DURATION,
                    "amount": Integer(),
                    "while": EXPRESSION,
                    "until": EXPRESSION,
                },
                one_of=[("amount", "while", "until")],
            ),
            "foreach": iterator,
        },
        required=["consume"],
    )
    return Object(
        "an AsyncAPI call",
        {
            "document": RESOURCE,
            "channel": TEXT,
            "operation": TEXT,
            "server": Object(
                "an AsyncAPI server", {"name": TEXT, "variables": ANY_OBJECT}, required=["name"]
            ),
            "protocol": Word(*_PROTOCOLS),
            "message": Object("a message", {"payload": ANY_OBJECT, "headers": ANY_OBJECT}),
            "subscription": subscription,
            "authentication": AUTHENTICATION,
        },
        required=["document"],
        one_of=[("operation", "channel"), ("message", "subscription")],
    )


_PROTOCOLS = (
    *("amqp", "amqp1", "anypointmq", "googlepubsub", "http", "ibmmq", "jms", "kafka", "mercure"),
    *("mqtt", "mqtt5", "nats", "pulsar", "redis", "sns", "solace", "sqs", "stomp", "ws"),
)


class Arguments:
    """The arguments of a call, which depend on what is called."""

    expected = "an object (the arguments of the call)"

    def __init__(self, iterator: Shape) -> None:
        self._of: dict[str, Shape] = {
            "http": HTTP,
            "openapi": OPENAPI,
            "grpc": GRPC,
            "asyncapi": asyncapi(iterator),
            "a2a": A2A,
            "mcp": MCP,
        }

    @property
    def protocols(self) -> tuple[str, ...]:
        """What is called by itself, and not as a function."""
        return tuple(self._of)

    def rule(self, task: Node, found: Collector) -> None:
        """Check ``with`` of a task that calls; a rule of its object."""
        call, arguments = task.member("call"), task.member("with")
        if call is None or not isinstance(call.value, str):
            return
        shape = self._of.get(call.value)
        if arguments is not None:
            with found.at("with"):
                (shape or ANY_OBJECT).check(arguments, found)
        elif shape is not None:
            found.report(task, f"call: {call.value} needs the property with, which is missing")
