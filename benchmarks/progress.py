"""One line that says what goes on, where somebody looks at it."""

import sys


class Progress:
    """Writes to stderr, and only where that is a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def say(self, what: str) -> None:
        """Put this in the place of what was said before."""
        if self._shown:
            print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave the line empty."""
        self.say("")
