"""`Plan`: the object that users hold, call, print and save.

Modules that show or save a plan are imported where they are used: a call that only computes does not load
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path as File
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from einsum_unified import dtypes
from einsum_unified.adapter import Backend
from einsum_unified.adapter.dispatch import default_backend, recorder_for
from einsum_unified.adapter.registry import Table
from einsum_unified.binding.bound import Bound
from einsum_unified.errors import PathError
from einsum_unified.forks import forks_wait
from einsum_unified.language.equation import Equation
from einsum_unified.language.letters import in_letters
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.steps import Path, Step
from einsum_unified.planning.stored import Densities
from einsum_unified.printable import plain
from einsum_unified.program.primitives import Program
from einsum_unified.runtime.cache import executable_for
from einsum_unified.runtime.executable import Executable
from einsum_unified.runtime.options import Options
from einsum_unified.runtime.run import Recipe, execute, run_as_planned
from einsum_unified.runtime.signature import Signature, matches, signatures_of
from einsum_unified.show.summary import operand_lines, stored_lines, unknown_lines
from einsum_unified.wording import LONGEST_LINE, clipped, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from einsum_unified.typing import Numbers, Tensor

Kind = TypeVar("Kind", bound="Tensor")
T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """An equation ready to be called: with operands of the planned shapes, of any framework.

    ``print(plan)`` lists the operands, the steps with their FLOPs, and the code that runs.

    >>> import numpy as np
    >>> from einsum_unified import einsum_plan
    >>> plan = einsum_plan("ij,jk->ik", (2, 3), (3, 4))
    >>> plan(np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """

    executable: Executable
    options: Options
    """The options as given; the executable may be shared with calls that spell the same differently."""

    @classmethod
    def of(
        cls,
        equation: str | Sublists,
        options: Options,
        signatures: tuple[Signature, ...],
        densities: Densities = (),
        table: Table | None = None,
    ) -> Plan:
        """Return the plan for prepared operands; raises the errors of `einsum`."""
        made = executable_for(equation, options, signatures, densities, table, whole=True)
        return cls(made, options)

    @classmethod
    def from_dict(cls, data: Any) -> Plan:
        """Return the plan that `to_dict` saved, ready to be called with tensors of any framework.

        Nothing in the data is executed; the code is generated again. Raises `PathError` for data that is not
        a plan, and the errors of `einsum_unified.einsum` if equation, shapes and path do not fit together.

        Time and memory are bounded by the size of the data. Each step has a number of labels: those of its
        operands together. All steps, with one for each diagonal, may have 100,000, or 32 for each axis of
        the plan's operands if that is more; beyond that, `PathError`. A step of three or more operands
        counts as its pairs from left to right. No operand may have more than 1,024 axes.
        """
        with forks_wait():
            from einsum_unified.show.data import checked

        read = checked(data)
        return _restored(read.equation, read.shapes, read.dtypes, read.path, read.dtype, read.strict)

    # --- its parts --------------------------------------------------------------------------------

    @property
    def equation(self) -> Equation:
        """The parsed equation."""
        return self.executable.equation

    @property
    def path(self) -> Path:
        """The contraction path: for each step the positions of the operands that it takes off the list.

        It consists of pairs, and of single operands if ``optimize=`` asked for that.
        """
        return self.executable.path

    @property
    def bound(self) -> Bound:
        """The equation with the shapes and dtypes of its operands."""
        return self.executable.bound

    @property
    def program(self) -> Program:
        """The instructions of the compiled program."""
        return self.executable.program

    @property
    def backend(self) -> Backend:
        """The adapter of the operands' framework."""
        return self.executable.backend

    @property
    def source(self) -> str:
        """The text of the compiled program."""
        return self.executable.source

    @property
    def strict(self) -> bool:
        """Whether the plan was made with ``strict=True``."""
        return self.options.strict

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the path: positions, equation, labels as integers, FLOPs and elements of the result.

        The FLOPs are those of the table. An unknown size counts as its hint. If an operand's number of axes
        is unknown there are no steps.

        >>> from einsum_unified import einsum_plan
        >>> plan = einsum_plan("ij,jk,kl->il", (10, 2), (2, 30), (30, 4))
        >>> [(step.positions, step.equation, step.flops, step.elements) for step in plan.steps]
        [((1, 2), 'jk,kl->jl', 480, 8), ((0, 1), 'ij,jl->il', 160, 40)]
        """
        with forks_wait():
            from einsum_unified.show.steps import plan_steps  # seldom needed

        return plan_steps(self.bound, self.path, self.program, self.backend.capabilities)

    @property
    def flops(self) -> int:
        """Multiplications and additions of all steps: the total in the table."""
        return sum(step.flops for step in self.steps)

    # --- calling ----------------------------------------------------------------------------------

    @overload
    def __call__(
        self, *operands: NDArray[Any] | Numbers, out: NDArray[Any] | None = None
    ) -> NDArray[Any]: ...
    @overload
    def __call__(
        self, first: Kind, second: NDArray[Any] | Numbers, /, *, out: Kind | None = None
    ) -> Kind: ...
    @overload
    def __call__(
        self, first: NDArray[Any] | Numbers, second: Kind, /, *, out: Kind | None = None
    ) -> Kind: ...
    @overload
    def __call__(self, *operands: Kind, out: Kind | None = None) -> Kind: ...
    @overload
    def __call__(self, *operands: T, out: T | None = None) -> T: ...
    def __call__(self, *operands: Any, out: Any = None) -> Any:
        """Contract operands of the planned shapes.

        For another framework or dtype the same path is planned again, and cached. Raises `OperandError` if
        shapes are not the planned ones, and the errors of `einsum_unified.einsum`.
        """
        try:
            known = self._fits(signatures_of(operands))
        except (AttributeError, TypeError, ValueError, RuntimeError):
            known = False
        if known:
            return execute(self.executable, operands, out)
        recorded = recorder_for(operands) is not None
        return run_as_planned(*self.recipe(literal=recorded), *operands, out=out)

    def recipe(self, literal: bool) -> Recipe:
        """Return the data to make the plan for other operands; ``literal``: text and numbers, for graphs."""
        shapes = tuple([operand.shape for operand in self.bound.operands])
        equation, dtype = self.equation.key, self.options.dtype
        if literal:
            equation = in_letters(self.equation) if self.equation.sublists else self.equation.text
            dtype = None if dtype is None else self.bound.dtype
        return Recipe(equation, shapes, self.path, dtype, self.options.keywords, self.strict)

    def _fits(self, signatures: tuple[Signature, ...]) -> bool:
        """Whether the executable can run on operands; any size matches one that was unknown."""
        planned = self.executable.signatures
        if signatures == planned:
            return True
        if not self.bound.loose:
            return False
        for (cls, shape, dtype), (planned_cls, planned_shape, planned_dtype) in zip(
            signatures, planned, strict=True
        ):
            same = cls is planned_cls and dtype == planned_dtype
            if not same or not matches(tuple(planned_shape), shape):
                return False
        return self._agree([shape for _, shape, _ in signatures])

    def _agree(self, shapes: Sequence[Any]) -> bool:
        """Whether each label with an axis of unknown size has one size: programs do not check that."""
        found: dict[int, Any] = {}
        loose = self.bound.loose
        for term, shape in zip(self.bound.terms, shapes, strict=True):
            for label, size in zip(term, shape, strict=True):
                if label in loose and size is not None and found.setdefault(label, size) != size:
                    return False
        return True

    # --- showing and saving -----------------------------------------------------------------------

    def __repr__(self) -> str:
        shapes = clipped(", ".join(str(operand.shape) for operand in self.bound.operands), LONGEST_LINE)
        equation = quoted(self.equation.text, LONGEST_LINE)
        return f"<Plan {equation} for {shapes} on {self.backend.name}, {self.bound.dtype}>"

    def __str__(self) -> str:
        return self.explain()

    def explain(self) -> str:
        """Return the text of ``print(plan)``: operands, a table of the steps, their cost, and the code.

        FLOPs are multiplications and additions. Bytes read and written are those of the operands and
        results of every instruction that is not a view (`einsum_unified.show.accounts` defines them). With
        unknown sizes the figures are formulas in these sizes. They count all elements of sparse operands; a
        line below the table has the densities by which the order was chosen, and the products to expect.

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
          peak memory: 64 bytes of intermediates and result
          def run(a0, a1):
              t0 = transpose(a1, (1, 0))
              return dot(a0, t0)
        """
        with forks_wait():
            from einsum_unified.show.table import explain  # seldom needed

        title = f"{self.equation.text}  on {self.backend.name}, {self.bound.dtype}"
        lines = [
            title,
            *operand_lines(self.bound),
            *unknown_lines(self.bound),
            *explain(self.bound, self.program, self.backend.capabilities, self.steps, self._algorithm()),
            *stored_lines(self.bound, self.executable.densities, self.path),
            *self._code(),
        ]
        return "\n".join(map(plain, lines))

    def to_svg(self, file: str | PathLike[str] | None = None) -> str:
        """Return a picture of the plan as SVG, and write it to a file if one is named.

        It shows the equation, with a line for each label from the axes that have it to the result. Below is
        the tree of the steps with their sizes and costs. Its colours follow the reader's light or dark mode.

        >>> from einsum_unified import einsum_plan
        >>> print(einsum_plan("ij,kj->ik", (2, 3), (4, 3)).to_svg()[:40])
        <svg xmlns="http://www.w3.org/2000/svg"
        """
        with forks_wait():
            from einsum_unified.show.picture.svg import to_svg  # seldom needed

        return _written(to_svg(self.bound, self.program, self.backend, self.steps), file)

    def to_html(self, file: str | PathLike[str] | None = None) -> str:
        """Return the plan as a page that explains it, and write it to a file if one is named.

        The page works without a network. It shows the picture, the steps with their costs, the code, and an
        example with small operands: each cell of its result shows the products that are summed for it.

        >>> from einsum_unified import einsum_plan
        >>> page = einsum_plan("ij,jk->ik", (2, 3), (3, 4)).to_html()
        >>> page.splitlines()[0], "<title>ij,jk-&gt;ik</title>" in page
        ('<!DOCTYPE html>', True)
        """
        with forks_wait():
            from einsum_unified.show.page.document import document
            from einsum_unified.show.table import Explanation  # seldom needed

        bound, explanation = self.bound, None
        if not bound.unranked:
            explanation = Explanation(bound, self.program, self.backend.capabilities, self.steps)
        page = document(bound, self.backend.name, explanation, self._algorithm(), self.source, self.to_svg())
        return _written(page, file)

    def _repr_html_(self) -> str:
        """Return the HTML that a notebook shows."""
        with forks_wait():
            from einsum_unified.show.picture.svg import to_html  # seldom needed

        return to_html(self.to_svg(), self.explain())

    def figures(self) -> dict[str, Any]:
        """Return the figures of `explain` as data that JSON can hold, exact.

        They are integers, or text if they depend on unknown sizes. Raises `PathError` if an operand's number
        of axes is unknown.

        >>> from einsum_unified import einsum_plan
        >>> figures = einsum_plan("ij,jk->ik", (None, 3), (3, 4)).figures()
        >>> figures["totals"]
        {'flops': '24·i', 'bytes_read': '24·i + 96', 'bytes_written': '32·i', 'copies': 0}
        >>> [step["matrices"] for step in figures["steps"]]
        [{'count': 1, 'm': 'i', 'k': 3, 'n': 4}]
        """
        with forks_wait():
            from einsum_unified.show.table import Explanation  # seldom needed

        if self.bound.unranked:
            raise PathError("a plan for an unknown number of axes has no figures")
        explanation = Explanation(self.bound, self.program, self.backend.capabilities, self.steps)
        return {**explanation.data(), "algorithm": self._algorithm().partition(":")[0]}

    def to_python(self, backend: str = "numpy") -> str:
        """Return the plan as the text of a function ``contract`` in plain calls of a framework.

        The code does not need this library and checks nothing: it is correct for the framework's tensors of
        these shapes and dtypes. It does not broadcast unknown sizes: one that turns out to be 1 may not meet
        a greater one. ``backend`` is "numpy", "torch", "tensorflow", "jax" or "array_api". Raises
        `OperandTypeError` for any other, and for one that lacks a dtype of the plan.

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
        with forks_wait():
            from einsum_unified.show.python_code import to_python  # seldom needed

        self._check_no_keywords("be written as code")
        return to_python(self.bound, self.path, backend)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as data that JSON can hold, with the version of its format.

        Raises `PathError` for labels that are neither text nor integers.

        >>> from einsum_unified import Plan, einsum_plan
        >>> data = einsum_plan("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)).to_dict()
        >>> data["schema"], data["shapes"], len(data["path"])
        (1, [[2, 3], [3, 4], [4, 5]], 2)
        >>> Plan.from_dict(data)
        <Plan 'ij,jk,kl->il' for (2, 3), (3, 4), (4, 5) on numpy, float64>
        """
        with forks_wait():
            from einsum_unified.show.data import to_dict  # seldom needed

        self._check_no_keywords("be kept as data")
        self._check_ranked()
        shapes = [operand.shape for operand in self.bound.operands]
        return to_dict(self.equation, shapes, self._dtypes(), self.path, self._asked_dtype(), self.strict)

    def __reduce__(self) -> tuple[Any, ...]:
        self._check_no_keywords("be pickled")
        self._check_ranked()
        key, shapes, path, *_ = self.recipe(literal=False)
        return _restored, (key, shapes, self._dtypes(), path, self._asked_dtype(), self.strict)

    def _check_no_keywords(self, what: str) -> None:
        if self.options.keywords:
            names = ", ".join(f"{name}=" for name, _ in self.options.keywords)
            raise PathError(f"a plan made with {self.backend.name}'s own {names} cannot {what}")

    def _check_ranked(self) -> None:
        if self.bound.unranked:
            raise PathError("a plan for an unknown number of axes has no path to keep")

    def _dtypes(self) -> tuple[str, ...]:
        return tuple(operand.dtype for operand in self.bound.operands)

    def _algorithm(self) -> str:
        """Return how the path was found, and its steps."""
        how = self.options.strategy
        names = {"auto": "cheapest of several searches", "none": "from left to right", "explicit": "given"}
        return f"{names.get(how.name, how.name)}: {', '.join(map(str, self.path))}"

    def _code(self) -> list[str]:
        return [f"  {line}" for line in self.source.splitlines()]

    def _asked_dtype(self) -> str | None:
        """Return the name of the dtype in ``dtype=``."""
        return None if self.options.dtype is None else dtypes.name_of(self.options.dtype)


def _restored(
    equation: str | Sublists,
    shapes: Sequence[Any],
    names: Sequence[str],
    path: Path,
    dtype: str | None,
    strict: bool,
) -> Plan:
    """Make a saved plan again, for NumPy; a call with other tensors plans for these."""
    there = {name: dtypes.stand_in(name, default_backend()) for name in (*names, *([dtype] if dtype else []))}
    signatures = tuple((np.ndarray, tuple(shape), there[n]) for shape, n in zip(shapes, names, strict=True))
    asked = None if dtype is None else there[dtype]
    plan = Plan.of(equation, Options.of(("einsum_path", *path), asked, strict=strict), signatures)
    if all(dtypes.name_of(found) == name for name, found in there.items()):
        return plan
    # NumPy lacks a dtype. Without signatures, each call plans for the tensors that it is given.
    operands = [x._replace(dtype=name) for x, name in zip(plan.bound.operands, names, strict=True)]
    bound = replace(plan.bound, operands=tuple(operands), dtype=dtype or dtypes.promote(*names))
    executable = replace(plan.executable, bound=bound, signatures=())
    return Plan(executable, replace(plan.options, dtype=dtype, dtype_class=type(dtype)))


def _written(text: str, file: str | PathLike[str] | None) -> str:
    """Write a text to a file if one is named."""
    if file is not None:
        File(file).write_text(text, "utf-8", newline="\n")
    return text
