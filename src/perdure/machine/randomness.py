"""Deterministic randomness: SplitMix64 (Steele, Lea, Flood 2014), seeded by the start event."""

from uuid import UUID

_MASK = (1 << 64) - 1


class Randomness:
    """A sequence of pseudo-random numbers that a replay draws again."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def bits64(self) -> int:
        """The next 64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def random(self) -> float:
        """The next number in [0, 1)."""
        return (self.bits64() >> 11) * 2.0**-53

    def uuid4(self) -> UUID:
        """The next random UUID."""
        return UUID(int=self.bits64() << 64 | self.bits64(), version=4)
