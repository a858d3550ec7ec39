import msgspec

from perdure.machine import events as e
from perdure.worker.outcomes import Ended
from perdure.worker.returned import Returned


def outcome(size: int) -> Ended:
    output = msgspec.Raw(b'"' + b"x" * size + b'"')
    event = e.TaskCompleted(time=1, position="/a", attempt=1, output=output)
    return Ended(
        execution_id="exec", generation=0, position="/a", attempt=1, name="a", event=event, lines=[]
    )


def test_what_was_handed_back_is_given_once() -> None:
    returned = Returned()
    first, second = outcome(1), outcome(2)
    returned.keep("exec-1", [first])
    returned.keep("exec-1", [second])
    assert returned.take("exec-1") == [first, second]
    assert returned.take("exec-1") == []


def test_the_oldest_go_beyond_the_bound() -> None:
    returned = Returned()
    for number in range(40):
        returned.keep(f"exec-{number}", [outcome(1_000_000)])
    kept = [number for number in range(40) if returned.take(f"exec-{number}")]
    assert kept == list(range(7, 40))
    assert returned._bytes == 0
