"""`Blueprint`: what a plan is made of, and everything it tells of itself: tables, code, data and pictures.

What tells is imported where it is needed: a call that only computes loads none of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path as File
from typing import Any

from einsum_unified import dtypes
from einsum_unified.adapter import Backend
from einsum_unified.binding.bound import Bound
from einsum_unified.errors import PathError
from einsum_unified.language.equation import Equation
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.path import Path, Step, Strategy, pairwise, steps, strategy
from einsum_unified.program.primitives import Program
from einsum_unified.show.printable import plain
from einsum_unified.show.summary import operand_lines, unknown_lines

Keywords = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Blueprint:
    """An equation, how it is contracted, and for which operands."""

    equation: Equation
    path: Path
    """The contraction path: for each step the positions of the operands that it takes out of the list."""
    bound: Bound
    program: Program
    backend: Backend
    source: str = field(repr=False)
    """The text of the compiled program."""
    options: tuple[Any, Any] = field(repr=False)
    """The values of optimize= and dtype= it was made with."""
    keywords: Keywords = field(repr=False)
    """The framework's own keywords it was made with."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The pairwise contractions, with labels as integers, FLOPs and elements of the result.

        Sizes that are not known count as their hints; without even the number of axes there are none.
        """
        if self.bound.unranked:
            return ()
        return steps(self.bound.reduced(), self.bound.output, tuple(map(int, self.bound.sizes)), self.path)

    @property
    def flops(self) -> int:
        """Multiplications and additions of all steps (`Step.flops`)."""
        return sum(step.flops for step in self.steps)

    @property
    def strict(self) -> bool:
        """Whether it was made with strict=True."""
        return isinstance(self.options[0], Strategy) and self.options[0].strict

    def __repr__(self) -> str:
        shapes = ", ".join(str(operand.shape) for operand in self.bound.operands)
        return f"<Plan {self.equation.text!r} for {shapes} on {self.backend.name}, {self.bound.dtype}>"

    def __str__(self) -> str:
        return self.explain()

    def explain(self) -> str:
        """Return what ``print(plan)`` shows: operands, a table of the steps, their cost, and the code.

        FLOPs are multiplications and additions; bytes read and written are those of the operands and
        results of every instruction that is no view (`einsum_unified.show.accounts` defines them). Where
        sizes are not known the figures are sums of products of them.

        >>> from einsum_unified import einsum_plan
        >>> print(einsum_plan("ij,kj->ik", (2, 3), (4, 3)).explain())
        ij,kj->ik  on numpy, float64
          operand 0 'ij': shape (2, 3), numpy.float64
          operand 1 'kj': shape (4, 3), numpy.float64
          step  labels     kind          FLOPs  bytes read  bytes written  copies
          -----------------------------------------------------------------------
             0  ij,kj->ik  matmul 2×3×4     48         144             64       0
          -----------------------------------------------------------------------
                           total            48         144             64       0
          one nested loop: 48 FLOPs
          most held at a time: 64 bytes of intermediates and result
          def run(a0, a1):
              t0 = transpose(a1, (1, 0))
              return dot(a0, t0)
        """
        from einsum_unified.show.table import explain  # seldom needed

        title = f"{self.equation.text}  on {self.backend.name}, {self.bound.dtype}"
        lines = [
            title,
            *operand_lines(self.bound),
            *unknown_lines(self.bound),
            *explain(self.bound, self.program, self.backend.capabilities, self.steps, self._algorithm()),
            *self._code(),
        ]
        return "\n".join(map(plain, lines))

    def to_svg(self, file: str | PathLike[str] | None = None) -> str:
        """Return a picture of the plan as SVG, and write it to a file if one is named.

        It has the equation, with a rail for each label from the axes that have it to the result, and below it
        the tree of the steps with their sizes and costs. It is light or dark like its reader's other pages.

        >>> from einsum_unified import einsum_plan
        >>> print(einsum_plan("ij,kj->ik", (2, 3), (4, 3)).to_svg()[:40])
        <svg xmlns="http://www.w3.org/2000/svg"
        """
        from einsum_unified.show.picture.document import to_svg  # seldom needed

        return _written(to_svg(self.bound, self.program, self.backend, self.steps), file)

    def to_html(self, file: str | PathLike[str] | None = None) -> str:
        """Return the plan as a page that teaches it, and write it to a file if one is named.

        The page needs no network. It shows the picture, the steps with what they cost, the code, and small
        operands of which each cell of the result tells what is multiplied and summed for it.

        >>> from einsum_unified import einsum_plan
        >>> page = einsum_plan("ij,jk->ik", (2, 3), (3, 4)).to_html()
        >>> page.splitlines()[0], "<title>ij,jk-&gt;ik</title>" in page
        ('<!DOCTYPE html>', True)
        """
        from einsum_unified.show.page.document import document
        from einsum_unified.show.table import Explanation  # seldom needed

        bound, told = self.bound, None
        if not bound.unranked:
            told = Explanation(bound, self.program, self.backend.capabilities, self.steps)
        page = document(bound, self.backend.name, told, self._algorithm(), self.source, self.to_svg())
        return _written(page, file)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from einsum_unified.show.picture.document import to_html  # seldom needed

        return to_html(self.to_svg(), self.explain())

    def figures(self) -> dict[str, Any]:
        """Return the figures of `explain` as data that JSON can hold, exact.

        They are integers, or text where sizes are not known. Raises `PathError` where not even the numbers of
        axes are.

        >>> from einsum_unified import einsum_plan
        >>> figures = einsum_plan("ij,jk->ik", (None, 3), (3, 4)).figures()
        >>> figures["totals"]
        {'flops': '24·i', 'bytes_read': '24·i + 96', 'bytes_written': '32·i', 'copies': 0}
        >>> [step["matrices"] for step in figures["steps"]]
        [{'count': 1, 'm': 'i', 'k': 3, 'n': 4}]
        """
        from einsum_unified.show.table import Explanation  # seldom needed

        if self.bound.unranked:
            raise PathError("a plan for unknown numbers of axes has no figures")
        told = Explanation(self.bound, self.program, self.backend.capabilities, self.steps)
        return {**told.data(), "algorithm": self._algorithm().partition(":")[0]}

    def to_python(self, backend: str = "numpy") -> str:
        """Return the plan as the text of a function ``contract`` in plain calls of a framework.

        It needs nothing of this library, and checks nothing: it is right for operands of these shapes and
        dtypes, tensors of the framework. A size that is not known may not be 1 where another is greater:
        the code does not broadcast it. ``backend`` is "numpy", "torch", "tensorflow", "jax" or "array_api".
        Raises `OperandTypeError` for another, and for one that lacks a dtype of the plan.

        >>> from einsum_unified import einsum_plan
        >>> print(einsum_plan("ij,kj->ik", (2, 3), (4, 3)).to_python("torch"))
        import torch
        <BLANKLINE>
        <BLANKLINE>
        # ij,kj->ik
        def contract(a0, a1):
            # a0: (2, 3) float64
            # a1: (4, 3) float64
            t2 = torch.permute(a1, (1, 0))  # (3, 4)
            t3 = a0 @ t2  # (2, 4)
            return t3
        <BLANKLINE>
        """
        from einsum_unified.show.source import to_python  # seldom needed

        self._check_no_keywords("be written as code")
        return to_python(self.bound, self.path, backend)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as words and numbers that JSON can hold, with the version of their format.

        Raises `PathError` for labels that are neither text nor integers.

        >>> from einsum_unified import Plan, einsum_plan
        >>> data = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)).to_dict()
        >>> data["schema"], data["shapes"], len(data["path"])
        (1, [[2, 3], [3, 4], [4, 5]], 1)
        >>> Plan.from_dict(data)
        <Plan 'ij,jk,kl->il' for (2, 3), (3, 4), (4, 5) on numpy, float64>
        """
        from einsum_unified.show.data import to_dict  # seldom needed

        self._check_no_keywords("be kept as data")
        self._check_ranked()
        shapes = [operand.shape for operand in self.bound.operands]
        return to_dict(self.equation, shapes, self._dtypes(), self.path, self._asked_dtype(), self.strict)

    def _check_no_keywords(self, what: str) -> None:
        if self.keywords:
            names = ", ".join(f"{name}=" for name, _ in self.keywords)
            raise PathError(f"a plan made with {names} cannot {what}: that is {self.backend.name}'s own")

    def _check_ranked(self) -> None:
        if self.bound.unranked:
            raise PathError("a plan for unknown numbers of axes has no path to keep")

    def _dtypes(self) -> tuple[str, ...]:
        return tuple(operand.dtype for operand in self.bound.operands)

    def _algorithm(self) -> str:
        """Return how the path was found, and what it is."""
        optimize = self.options[0]
        how = optimize if isinstance(optimize, Strategy) else strategy(optimize)
        names = {"auto": "cheapest of several searches", "none": "from left to right", "explicit": "given"}
        pairs = pairwise(self.path, len(self.bound.operands))
        return f"{names.get(how.name, how.name)}: {', '.join(map(str, pairs))}"

    def _code(self) -> list[str]:
        return [f"  {line}" for line in self.source.splitlines()]

    def _asked_dtype(self) -> str | None:
        """Return the name of the dtype asked for with dtype=."""
        return None if self.options[1] is None else dtypes.name_of(self.options[1])

    def _key(self) -> str | Sublists:
        """Return what parses to the equation."""
        equation = self.equation
        if not equation.sublists:
            return equation.text
        return Sublists(equation.inputs, equation.output if equation.explicit else None)


def _written(text: str, file: str | PathLike[str] | None) -> str:
    """Write a text to a file if one is named."""
    if file is not None:
        File(file).write_text(text, "utf-8", newline="\n")
    return text
