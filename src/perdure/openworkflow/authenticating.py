"""Authentication of calls: from policies of the document to credentials.

Credentials are made where the call is made, never in the program: they are not recorded.
"""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from perdure.model import failure as failures
from perdure.model.exceptions import DefinitionError
from perdure.openworkflow import expressions
from perdure.openworkflow import types as t
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import Template, sites
from perdure.ports.calls import Basic, Bearer, Secrets

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place

_TYPES: Mapping[str, type[Basic] | type[Bearer]] = {"basic": Basic, "bearer": Bearer}


class Authenticator:
    """A policy: where its credentials come from."""

    def __init__(self, policy: t.Authentication, compiler: "Compiler", place: "Place") -> None:
        if policy.use is not None:
            if policy.use not in compiler.use.authentications:
                raise DefinitionError(f"use.authentications has no {policy.use!r}")
            policy = compiler.use.authentications[policy.use]
        properties = policy.basic or policy.bearer
        if properties is None:
            raise DefinitionError("of the authentications, basic and bearer are supported so far")
        self._type = _TYPES["basic" if policy.basic else "bearer"]
        self._secret = properties.get("use")
        if self._secret is not None and self._secret not in compiler.use.secrets:
            raise DefinitionError(f"use.secrets has no {self._secret!r}")
        fields = {name: properties.get(name, "") for name in self._type.__struct_fields__}
        available = place.variables | (sites.TASK_SENT - {"authorization"})
        self.template: Template = expressions.template(
            fields if self._secret is None else {},
            available,
            mode=compiler.document.evaluate.mode,
        )

    def credentials(
        self, value: Any, arguments: Mapping[str, Any], secrets: Secrets
    ) -> Basic | Bearer:
        """The credentials, for a task's input and arguments.

        Raises WorkflowError (authentication) where they have not the shape that they need.
        """
        if self._secret is not None:
            properties = secrets.get(self._secret)
        else:
            properties = self.template.evaluate_here(value, arguments)
        try:
            return msgspec.convert(properties, self._type)
        except msgspec.ValidationError:
            wanted = " and ".join(self._type.__struct_fields__)
            name = self._type.__name__.lower()
            text = f"{name} authentication needs {wanted}, each a text"
            if self._secret is not None:
                text += f"; the secret {self._secret} has to be a JSON object that has them"
            raise WorkflowError(failures.authentication(text)) from None


def descriptor(credentials: Basic | Bearer) -> dict[str, str]:
    """What `$authorization` is (dsl.md, Authorization Descriptor)."""
    if isinstance(credentials, Bearer):
        return {"scheme": "Bearer", "parameter": credentials.token}
    pair = f"{credentials.username}:{credentials.password}".encode()
    return {"scheme": "Basic", "parameter": base64.b64encode(pair).decode()}
