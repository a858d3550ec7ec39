"""`call http`: sends a request; the output is what the response has, in the form asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from perdure.model import failure as failures
from perdure.model.exceptions import FailedError
from perdure.openworkflow import effects, expressions
from perdure.openworkflow import types as t
from perdure.openworkflow.authenticating import Authenticator, descriptor
from perdure.openworkflow.binding import Bound, arguments_of
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import Template, sites
from perdure.openworkflow.requests import Late, Prepared, headers_of, query_of, texts_in
from perdure.openworkflow.running import Definition, Directive, Frame
from perdure.openworkflow.templates import Uri
from perdure.ports.calls import HttpRequest

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


_TREES = ("headers", "query", "body")


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
        self._with = with_
        self._uri = Uri(endpoint if isinstance(endpoint, str) else endpoint.uri, compiler, place)
        self._authenticator: Authenticator | None = None
        if isinstance(endpoint, t.Endpoint) and endpoint.authentication is not None:
            self._authenticator = Authenticator(endpoint.authentication, compiler, place)
        self._early: dict[str, Bound] = {}
        self._late: dict[str, Template] = {}
        self._mentioned: set[str] = set()
        for name in _TREES:
            self._add(name, getattr(with_, name), compiler, place)
        if self._authenticator is not None:
            self._mentioned |= self._authenticator.template.variables
        self._arguments = arguments_of(self._mentioned - sites.SECRET, place.variables)
        self._needs_data = bool(self._late) or (
            self._authenticator is not None and not self._authenticator.template.constant
        )

    def _add(self, name: str, tree: Any, compiler: "Compiler", place: "Place") -> None:
        if tree is msgspec.UNSET or (tree is None and name != "body"):
            return
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
        early = {name: await bound.evaluate(frame, value) for name, bound in self._early.items()}
        late = None
        if self._needs_data:
            late = Late(value=value, arguments=dict(self._arguments(frame)))
        return Prepared(
            method=self._with.method,
            uri=await self._uri.evaluate(frame, value),
            headers=headers_of(early.get("headers")),
            query=query_of(early.get("query")),
            body=early.get("body", msgspec.UNSET),
            output=self._with.output,
            redirect=self._with.redirect,
            late=late,
        )

    # -- where the call is made ------------------------------------------------------------------

    async def invoke(self, input: bytes) -> bytes:
        """Make the call that was prepared. Raises FailedError."""
        prepared = _decode(input)
        late = prepared.late or Late()
        arguments = dict(late.arguments)
        if "secrets" in self._mentioned:
            arguments["secrets"] = {name: self._secrets.get(name) for name in self._declared}
        credentials = None
        if self._authenticator is not None:
            credentials = self._authenticator.credentials(late.value, arguments, self._secrets)
        if "authorization" in self._mentioned:
            arguments["authorization"] = descriptor(credentials) if credentials else None
        fields = {name: self._evaluated(name, late.value, arguments) for name in self._late}
        request = HttpRequest(
            method=prepared.method,
            uri=prepared.uri,
            headers=headers_of(fields["headers"]) if "headers" in fields else prepared.headers,
            query=query_of(fields["query"]) if "query" in fields else prepared.query,
            body=fields.get("body", prepared.body),
            output=prepared.output,
            redirect=prepared.redirect,
            authentication=credentials,
            confidential=tuple(texts_in(arguments.get("secrets"))),
        )
        return await self._calls.http(request)

    def invoke_blocking(self, input: bytes) -> bytes:
        """Calls are only made on a loop."""
        raise NotImplementedError

    def retryable(self, error: BaseException) -> bool:
        """Whether to try again is the document's to say."""
        return False

    def _evaluated(self, name: str, value: Any, arguments: Mapping[str, Any]) -> Any:
        try:
            return self._late[name].evaluate_here(value, arguments)
        except FailedError:
            # What jq says of an error may quote the secret.
            text = f"an expression in the {name} of the call, which mentions secrets, failed"
            raise WorkflowError(failures.expression(text)) from None


_decode = msgspec.json.Decoder(Prepared).decode
