"""What the documents of a worker call, and the secrets that they call it with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perdure.calls.egress import Egress
from perdure.calls.http import HttpCalls
from perdure.calls.secrets import EnvironmentSecrets


@dataclass(frozen=True)
class Calling:
    """The calls and the secrets of one worker. To be closed on the loop that has used it."""

    calls: HttpCalls
    secrets: EnvironmentSecrets

    async def close(self) -> None:
        """Close all connections."""
        await self.calls.close()


def calling(egress_allow: Sequence[str], environ: Mapping[str, str]) -> Calling:
    """The calls of a worker: `egress_allow` is the setting, `environ` has the secrets.

    Raises ValueError where the setting cannot be used.
    """
    return Calling(HttpCalls(Egress(egress_allow)), EnvironmentSecrets(environ))
