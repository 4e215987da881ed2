"""`Figure`: an exact count; with unknown sizes it is a sum of products of sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from einsum_unified.forks import forks_wait
from einsum_unified.language.sizes import Reading, Size

Name = Callable[[Reading], str]
"""Takes the places where a size can be read; returns its label."""

_LONGEST = 10**300
"""Numbers from this one on are shown rounded: nobody reads so many digits, and Python may not write them."""


@dataclass(frozen=True)
class Figure:
    """A polynomial in the unknown sizes, with integer coefficients.

    >>> b = Figure.of_label("b")
    >>> print(b * 12 + b * 12 + Figure.of(5))
    24·b + 5
    >>> (b * 12).at({"b": 10}), int(Figure.of(5)), Figure.of(0) == Figure.of(2) + Figure.of(-2)
    (120, 5, True)
    """

    terms: tuple[tuple[tuple[str, ...], int], ...] = ()
    """Sorted labels, and the nonzero coefficient of the product of their sizes."""

    @classmethod
    def of(cls, number: int) -> Figure:
        """Return a known number."""
        return cls._of({(): number})

    @classmethod
    def of_label(cls, label: str) -> Figure:
        """Return the size of a label."""
        return cls._of({(label,): 1})

    @classmethod
    def of_size(cls, size: int, name: Name) -> Figure:
        """Return the figure of a size, known (an integer) or unknown (a `Size`)."""
        return cls.product([size], name)

    @classmethod
    def product(cls, sizes: Iterable[int], name: Name) -> Figure:
        """Return the product of sizes."""
        number, labels = 1, list[str]()
        for size in sizes:
            if isinstance(size, Size):
                number *= size.known
                labels += [name(reading) for reading in size.readings]
            else:
                number *= int(size)
        return cls.monomial(number, labels)

    @classmethod
    def monomial(cls, number: int, labels: Iterable[str]) -> Figure:
        """Return a number times the sizes of labels."""
        return cls._of({tuple(sorted(labels)): number})

    @classmethod
    def sum(cls, figures: Iterable[Figure]) -> Figure:
        """Return the sum of figures."""
        terms: Counter[tuple[str, ...]] = Counter()
        for figure in figures:
            for labels, number in figure.terms:
                terms[labels] += number
        return cls._of(terms)

    @classmethod
    def _of(cls, terms: Mapping[tuple[str, ...], int]) -> Figure:
        kept = {labels: n for labels, n in terms.items() if n}
        return cls(tuple(sorted(kept.items(), key=lambda item: (-len(item[0]), item[0]))))

    def __add__(self, other: Figure) -> Figure:
        return Figure.sum((self, other))

    def __mul__(self, other: Figure | int) -> Figure:
        other = Figure.of(other) if isinstance(other, int) else other
        terms: Counter[tuple[str, ...]] = Counter()
        for a, m in self.terms:
            for b, n in other.terms:
                terms[tuple(sorted((*a, *b)))] += m * n
        return Figure._of(terms)

    __rmul__ = __mul__

    def at(self, sizes: Mapping[str, int]) -> int:
        """Return the number that results when every label has the given size."""
        total = 0
        for labels, number in self.terms:
            for label in labels:
                number *= sizes[label]
            total += number
        return total

    @property
    def known(self) -> bool:
        """Whether the figure is a plain number, without unknown sizes."""
        return all(not labels for labels, _ in self.terms)

    @property
    def written_out(self) -> bool:
        """Whether the figure is a plain number that is shown with all its digits."""
        return self.known and abs(self.at({})) < _LONGEST

    def __int__(self) -> int:
        if not self.known:
            raise ValueError(f"{self} is not a number until its sizes are known")
        return self.at({})

    def __str__(self) -> str:
        return self.text()

    def text(self, separator: str = ",") -> str:
        """Return the figure as text for people, with a separator between thousands."""
        return " + ".join(_shown(*term, separator) for term in self.terms) or "0"


def _shown(labels: tuple[str, ...], number: int, separator: str) -> str:
    factors = [*([_number(number, separator)] if number != 1 or not labels else []), *labels]
    return "·".join(factors)


def _number(number: int, separator: str) -> str:
    if abs(number) < _LONGEST:
        return f"{number:{separator}}"
    with forks_wait():
        from decimal import Decimal  # seldom needed, and slow to import

    return f"{Decimal(number):.3e}"
