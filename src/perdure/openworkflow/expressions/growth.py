"""Upper bounds as polynomials, for `bounds`: of an input's size and of its variables' sizes.

A size is that of a value as JSON, in bytes; a value has at most as many parts as bytes.
"""

from collections.abc import Mapping

from perdure.model.exceptions import PerdureError

HIGHEST_DEGREE = 3


class UnboundedError(PerdureError):
    """No bound is known."""


class Growth:
    """A sum of terms ``c · x^a · v^b``; x is the size of the input, v that of the variables."""

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[tuple[int, int], float]) -> None:
        self.terms = terms

    def __add__(self, other: "Growth") -> "Growth":
        terms = dict(self.terms)
        for powers, factor in other.terms.items():
            terms[powers] = terms.get(powers, 0.0) + factor
        return Growth(terms)

    def __mul__(self, other: "Growth | float") -> "Growth":
        """The product. Raises UnboundedError beyond HIGHEST_DEGREE."""
        if not isinstance(other, Growth):
            return Growth({powers: factor * other for powers, factor in self.terms.items()})
        terms: dict[tuple[int, int], float] = {}
        for (a, b), factor in self.terms.items():
            for (c, d), other_factor in other.terms.items():
                powers = (a + c, b + d)
                if sum(powers) > HIGHEST_DEGREE:
                    raise UnboundedError
                terms[powers] = terms.get(powers, 0.0) + factor * other_factor
        return Growth(terms)

    def over_inputs(self, count: "Growth", size: "Growth") -> "Growth":
        """The sum of this over `count` inputs that have `size` together.

        A power of the sum is not below the sum of the powers.
        """
        total = NOTHING
        for (a, b), factor in self.terms.items():
            total += _power(size, a, count) * Growth({(0, b): factor})
        return total

    def over_variables(self, count: "Growth", size: "Growth") -> "Growth":
        """The sum of this over `count` sets of further variables that have `size` together.

        ``(v + w)^b`` is not above ``2^(b-1) (v^b + w^b)``.
        """
        total = NOTHING
        for (a, b), factor in self.terms.items():
            known = Growth({(a, b): factor}) * count
            if b:
                known += Growth({(a, 0): factor}) * _power(size, b, count)
                known *= float(2 ** (b - 1))
            total += known
        return total

    def at(self, size: float) -> float:
        """The most that this is where input and variables have `size` together."""
        return sum(factor * size ** sum(powers) for powers, factor in self.terms.items())


def constant(value: float) -> Growth:
    """A bound that depends on nothing."""
    return Growth({(0, 0): float(value)})


def _power(size: Growth, exponent: int, count: Growth) -> Growth:
    if exponent == 0:
        return count
    result = size
    for _ in range(exponent - 1):
        result *= size
    return result


NOTHING = Growth({})
ONE = constant(1)
INPUT = Growth({(1, 0): 1.0})
VARIABLES = Growth({(0, 1): 1.0})
