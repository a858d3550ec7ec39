"""Random numbers of the system."""

import os

_NUMBER_BYTES = 8
_STOCK_BYTES = 4096


class RandomBits:
    """``secrets.randbits`` up to 64 bits, which asks the system for many numbers at once.

    Not for use in several threads, nor on both sides of a fork.
    """

    def __init__(self) -> None:
        self._stock = b""
        self._used = 0

    def __call__(self, bits: int) -> int:
        """A number from 0 to ``2**bits - 1`` that nobody can foresee."""
        if self._used == len(self._stock):
            self._stock = os.urandom(_STOCK_BYTES)
            self._used = 0
        first = self._used
        self._used = first + _NUMBER_BYTES
        number = int.from_bytes(self._stock[first : self._used], "little")
        return number & ((1 << bits) - 1)
