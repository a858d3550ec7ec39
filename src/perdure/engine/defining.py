"""Registered definitions on their way into workers.

A worker has those that it was sent (`Define`) and not told to forget. What it has is decided and
known here alone, and messages arrive in order: a `Load` never names a definition that its worker
lacks. A worker is told to forget those that were not used for the longest, so that neither side
keeps more than a bounded number of bytes.
"""

from collections import OrderedDict

from perdure.engine.generations import Pin
from perdure.engine.state import State, Worker
from perdure.link import messages as m

KEPT_BYTES = 64 * 1024 * 1024
"""Bodies that are at hand in the server."""
SENT_BYTES = 16 * 1024 * 1024
SENT = 1_000
"""Bodies that a worker has at most: their bytes, and how many."""


class Defining:
    """Has workers know the definitions of what they are given."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        """By digest, the longest unused first."""
        self._bytes = 0

    def define(self, worker: Worker, pin: Pin) -> str | None:
        """What `Load.defined` is to be; None where the body has to be fetched first.

        An execution runs the code that it is pinned to, where its worker has loaded that itself;
        else what is registered under its name, if anything is.
        """
        registered = self._state.catalog.registered(pin.workflow_id, pin.version)
        if registered is None or worker.served.get(pin[:2]) == pin.digest:
            return ""
        digest = registered.digest
        if digest in worker.defined:
            worker.defined.move_to_end(digest)
            return digest
        body = self._bodies.get(digest)
        if body is None:
            return None
        self._bodies.move_to_end(digest)
        worker.channel.send(m.Define(digest, body))
        worker.defined[digest] = len(body)
        self._have_forgotten(worker)
        return digest

    async def fetch(self, pin: Pin) -> None:
        """Have the body at hand that is registered under a name, if one is."""
        state = self._state
        registered = state.catalog.registered(pin.workflow_id, pin.version)
        if registered is None or registered.digest in self._bodies:
            return
        body = await state.read_surely(state.journal.definition_body, pin.workflow_id, pin.version)
        if body is not None and registered.digest not in self._bodies:
            self._bodies[registered.digest] = body
            self._bytes += len(body)
            while self._bytes > KEPT_BYTES and len(self._bodies) > 1:
                self._bytes -= len(self._bodies.popitem(last=False)[1])

    def _have_forgotten(self, worker: Worker) -> None:
        held = sum(worker.defined.values())
        while len(worker.defined) > 1 and (held > SENT_BYTES or len(worker.defined) > SENT):
            digest, size = worker.defined.popitem(last=False)
            held -= size
            worker.channel.send(m.Forget(digest))
