"""What can become of one of the specification's examples."""

from dataclasses import dataclass
from typing import Any, Literal

STANDARD = "https://open-workflow-specification.org/spec/1.0.0/errors/"


class Has:
    """Equals a mapping that has these values, and perhaps others."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(
            name in other and value == other[name] for name, value in self.values.items()
        )

    def __hash__(self) -> int:
        raise TypeError("it equals many mappings")

    def __repr__(self) -> str:
        return f"Has({self.values!r})"


@dataclass(frozen=True)
class Run:
    """One execution and its end: a result, or the properties of its error."""

    inputs: Any
    result: Any = None
    error: Has | None = None
    calls: tuple[str, ...] = ()
    """What is called, as ``GET host/path``."""
    query: dict[str, str] | None = None
    """The query of the last call."""
    headers: Has | None = None
    """Headers of the last call, by names in lower case."""
    took_s: float = 0.0
    """How long it takes at least; in real time no example waits for long."""


@dataclass(frozen=True)
class Example:
    """What becomes of an example. `refused` names the tasks for which executing it is refused."""

    file: str
    happens: str
    why: str = ""
    runs: tuple[Run, ...] = ()
    unfit: tuple[dict[str, Any], ...] = ()
    """Inputs that are refused by the input schema."""
    refused: str = ""
    time: Literal["real", "virtual"] = "real"
    """Virtual: on engine, store and worker alone, with inputs that events or waits would need."""

    @property
    def namespace(self) -> str:
        """The one that it is registered in: several examples have the same name and version."""
        return self.file.removesuffix(".yaml").replace(" ", "-")
