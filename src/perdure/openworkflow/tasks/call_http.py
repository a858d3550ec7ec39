"""`call http`: sends a request; the output is what the response has, in the form asked for."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from perdure.model import failure as failures
from perdure.model.exceptions import FailedError
from perdure.openworkflow import effects, expressions, uri_templates
from perdure.openworkflow import types as t
from perdure.openworkflow.authenticating import Authenticator, descriptor
from perdure.openworkflow.binding import Bound, arguments_of
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import Template, sites
from perdure.openworkflow.requests import (
    Late,
    Prepared,
    headers_of,
    query_of,
    strings_in,
    texts_in,
    uri_of,
)
from perdure.openworkflow.running import Definition, Directive, Frame
from perdure.openworkflow.templates import is_template
from perdure.openworkflow.uri_templates import UriTemplate
from perdure.ports.calls import HttpRequest

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "uri": uri_of,
    "headers": headers_of,
    "query": query_of,
    "body": lambda value: value,
}
"""What is made of each field's value."""


def define(
    task: t.CallHttpTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The call, recorded before it is made."""
    call = HttpCall(task.with_, compiler, place)

    async def http(frame: Frame) -> tuple[Any, Directive | None]:
        prepared = await call.prepare(frame)
        body = effects.encoded(prepared, f"the request of task {frame.name}")
        return await effects.run_task(frame.position, frame.name, body, call), None

    return http


class HttpCall:
    """A call of a document: prepared in the program, made by the worker (a `worker.Subject`)."""

    mode: Literal["async"] = "async"
    reference = "openworkflow:call http"

    def __init__(self, with_: t.HttpArguments, compiler: "Compiler", place: "Place") -> None:
        endpoint = with_.endpoint
        self._calls = compiler.calls
        self._secrets = compiler.secrets
        self._declared = compiler.use.secrets
        self._method = with_.method
        self._output = with_.output
        self._redirect = with_.redirect
        self._template: UriTemplate | None = None
        self._authenticator: Authenticator | None = None
        self._early: dict[str, Bound] = {}
        self._late: dict[str, Template] = {}
        self._mentioned: set[str] = set()
        uri = endpoint if isinstance(endpoint, str) else endpoint.uri
        if is_template(uri):
            self._template = uri_templates.parse(uri)
        else:
            self._add("uri", uri, compiler, place)
        for name in ("headers", "query", "body"):
            tree = getattr(with_, name)
            if tree is not msgspec.UNSET and (tree is not None or name == "body"):
                self._add(name, tree, compiler, place)
        if isinstance(endpoint, t.Endpoint) and endpoint.authentication is not None:
            self._authenticator = Authenticator(endpoint.authentication, compiler, place)
            self._mentioned |= self._authenticator.template.variables
        self._arguments = arguments_of(self._mentioned - sites.SECRET, place.variables)
        self._needs_data = bool(self._late) or (
            self._authenticator is not None and not self._authenticator.template.constant
        )

    def _add(self, name: str, tree: Any, compiler: "Compiler", place: "Place") -> None:
        mode = compiler.document.evaluate.mode
        template = expressions.template(tree, place.variables | sites.TASK_SENT, mode=mode)
        if template.variables & sites.SECRET:
            self._late[name] = template
            self._mentioned |= template.variables
        else:
            self._early[name] = Bound(template, place.variables)

    # -- in the program --------------------------------------------------------------------------

    async def prepare(self, frame: Frame) -> Prepared:
        """What can be said before secrets are known. Raises WorkflowError."""
        value = frame.input
        fields: dict[str, Any] = {"method": self._method}
        if self._template is not None:
            fields["uri"] = self._template.expand(value)
        for name, bound in self._early.items():
            fields[name] = _READERS[name](await bound.evaluate(frame, value))
        if self._needs_data:
            fields["late"] = Late(value=value, arguments=dict(self._arguments(frame)))
        return Prepared(**fields)

    # -- where the call is made ------------------------------------------------------------------

    async def invoke(self, input: bytes) -> bytes:
        """Make the call that was prepared. Raises WorkflowError."""
        try:
            return await self._call(_decode(input))
        except FailedError as error:
            raise WorkflowError(error.failure) from None

    async def _call(self, prepared: Prepared) -> bytes:
        late = prepared.late or Late()
        arguments = dict(late.arguments)
        confidential: list[str] = []
        if "secrets" in self._mentioned:
            secrets = {name: self._secrets.get(name) for name in self._declared}
            arguments["secrets"] = secrets
            confidential += texts_in(secrets)
        credentials = None
        if self._authenticator is not None:
            credentials = self._authenticator.credentials(late.value, arguments, self._secrets)
        if "authorization" in self._mentioned:
            authorization = descriptor(credentials) if credentials else None
            arguments["authorization"] = authorization
            confidential += texts_in(authorization)
        fields: dict[str, Any] = {}
        for name, template in self._late.items():
            value = self._evaluated(name, template, late.value, arguments)
            if name != "uri":  # a URI shows secrets as they are, and is needed in errors
                confidential += strings_in(template.made_with(sites.SECRET, value))
            fields[name] = _READERS[name](value)
        return await self._calls.http(
            HttpRequest(
                method=prepared.method,
                uri=fields.get("uri", prepared.uri),
                headers=fields.get("headers", prepared.headers) or {},
                query=fields.get("query", prepared.query) or {},
                body=fields.get("body", prepared.body),
                output=self._output,
                redirect=self._redirect,
                authentication=credentials,
                confidential=tuple(dict.fromkeys(confidential)),
            )
        )

    def invoke_blocking(self, input: bytes) -> bytes:
        """Calls are only made on a loop."""
        raise NotImplementedError

    def retryable(self, error: BaseException) -> bool:
        """Whether to try again is the document's to say."""
        return False

    def _evaluated(
        self, name: str, template: Template, value: Any, arguments: Mapping[str, Any]
    ) -> Any:
        try:
            return template.evaluate_here(value, arguments)
        except FailedError:
            # What is said of an error may quote the secret.
            text = f"an expression in the {name} of the call, which mentions secrets, failed"
            raise WorkflowError(failures.expression(text)) from None


_decode = msgspec.json.Decoder(Prepared).decode
