"""A queue that is fair: what waits is taken in turns of its owners, each owner's in its order."""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """What waits, a lane for each owner."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[str, deque[T]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._lanes)

    def waiting(self, owner: str) -> int:
        """How many things of an owner wait."""
        lane = self._lanes.get(owner)
        return len(lane) if lane is not None else 0

    def put(self, owner: str, item: T) -> None:
        """Let something wait, behind all of its owner's."""
        self._lanes.setdefault(owner, deque()).append(item)

    def take(self) -> T:
        """What comes next; its owner's next turn is after all others'. Not to be asked of none."""
        owner, lane = next(iter(self._lanes.items()))
        item = lane.popleft()
        if lane:
            self._lanes.move_to_end(owner)
        else:
            del self._lanes[owner]
        return item

    def remove(self, owner: str, item: T) -> None:
        """Let something wait no more, if it still does."""
        lane = self._lanes.get(owner)
        if lane is not None and item in lane:
            lane.remove(item)
            if not lane:
                del self._lanes[owner]
