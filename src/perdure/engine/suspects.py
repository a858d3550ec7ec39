"""Executions that may have brought down their workers (promise 8 of the design).

Invariants:
- A death counts for an execution only where its code alone was on the CPU, or where it was alone
  in a quarantine. So innocents are never given up, however many workers die around them.
- Where nobody's code was on the CPU (it crashed in a thread that a task had made, or came from
  outside) all that ran there are in doubt; who is so for the third time becomes a suspect.
- Something newly recorded clears it of doubt and suspicion. Its third death without that condemns
  it. One that is condemned goes to no worker any more, until it has ended.
"""

import msgspec

DEATHS = 3


class _Suspect(msgspec.Struct):
    """Its deaths, and how far its record was at the last of them."""

    next_seq: int
    deaths: int = 0


class Suspects:
    """Who is under suspicion, and who is condemned."""

    def __init__(self) -> None:
        self._suspects: dict[str, _Suspect] = {}
        self._doubted: dict[str, _Suspect] = {}
        self._condemned: set[str] = set()

    def __contains__(self, execution_id: str) -> bool:
        return execution_id in self._suspects

    def is_condemned(self, execution_id: str) -> bool:
        """Whether it is to be ended, and given to no worker before."""
        return execution_id in self._condemned

    def died(self, execution_id: str, next_seq: int, *, counts: bool) -> bool:
        """Its code was on the CPU of a worker that died: whether it is condemned now."""
        suspect = self._suspects.setdefault(execution_id, _Suspect(next_seq))
        suspect.next_seq = max(suspect.next_seq, next_seq)
        suspect.deaths += counts
        if suspect.deaths < DEATHS:
            return False
        self.condemn(execution_id)
        return True

    def doubt(self, execution_id: str, next_seq: int) -> None:
        """It ran in a worker that died, and nobody's code is known to have been on the CPU."""
        doubted = self._doubted.setdefault(execution_id, _Suspect(next_seq))
        doubted.next_seq = max(doubted.next_seq, next_seq)
        doubted.deaths += 1
        if doubted.deaths >= DEATHS:
            del self._doubted[execution_id]
            self._suspects.setdefault(execution_id, _Suspect(next_seq))

    def condemn(self, execution_id: str) -> None:
        """It is to be ended, and given to no worker before."""
        self._suspects.pop(execution_id, None)
        self._condemned.add(execution_id)

    def progressed(self, execution_id: str, next_seq: int) -> bool:
        """Something of it was recorded: whether that clears it of suspicion."""
        doubted = self._doubted.get(execution_id)
        if doubted is not None and next_seq > doubted.next_seq:
            del self._doubted[execution_id]
        suspect = self._suspects.get(execution_id)
        if suspect is None or next_seq <= suspect.next_seq:
            return False
        del self._suspects[execution_id]
        return True

    def forget(self, execution_id: str) -> None:
        """It has ended."""
        self._doubted.pop(execution_id, None)
        self._suspects.pop(execution_id, None)
        self._condemned.discard(execution_id)
