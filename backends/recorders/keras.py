"""Records calls with Keras' symbolic tensors and variables, on any backend of Keras.

A call with symbolic tensors becomes an operation of a functional model. Variables count as their values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
import numpy as np

from einsum_unified.adapter import Backend, Form
from einsum_unified.adapter.dispatch import load
from einsum_unified.binding.arrays import prepare
from einsum_unified.binding.bind import bind
from einsum_unified.binding.bound import Bound
from einsum_unified.binding.call import KEYWORDS, arguments, check_hints, check_keywords
from einsum_unified.binding.label_sizes import Hints
from einsum_unified.binding.operand import Operand
from einsum_unified.binding.strict import check_operands
from einsum_unified.dtypes import WEAK, name_of
from einsum_unified.errors import OperandTypeError
from einsum_unified.language.equation import parse
from einsum_unified.language.labels import Label
from einsum_unified.language.letters import in_letters
from einsum_unified.language.sizes import is_known
from einsum_unified.language.sublists import Sublists
from einsum_unified.planning.path import find_path
from einsum_unified.planning.strategy import strategy
from einsum_unified.runtime.run import Recipe, check_planned


@keras.saving.register_keras_serializable(package="einsum_unified")
class Einsum(keras.Operation):  # type: ignore[misc]
    """A call of ``einsum`` as an operation of a model; it is saved and loaded with the model."""

    def __init__(self, equation: str, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name)
        self.equation = equation
        self.options = options

    def call(self, *operands: Any) -> Any:
        """Contract the backend's tensors."""
        from einsum_unified import einsum

        return einsum(self.equation, *operands, **self.options)

    def compute_output_spec(self, *operands: Any) -> Any:
        """Return the symbolic result. Keras by itself would try numbers in place of unknown sizes."""
        bound = _bind(self.equation, operands, self.options.get("dtype"))
        sizes = [bound.sizes[label] for label in bound.output]
        return keras.KerasTensor([n if is_known(n) else None for n in sizes], dtype=bound.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal operation."""
        return {"name": self.name, "equation": self.equation, **self.options}


def record(
    einsum: Callable[..., Any], equation: Any, operands: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Return the symbolic result. Its shape and dtype are inferred, and errors raised, during this call.

    Without symbolic tensors, return the result for the variables' values.
    """
    check_keywords(options, KEYWORDS, "einsum", _adapter())
    if not _is_symbolic((equation, *operands)):
        values = [_value(x) for x in (equation, *operands)]
        return einsum(*values, **options)
    key, xs = arguments(equation, operands)
    return _symbolic(key, xs, options)


def record_plan(run: Callable[..., Any], recipe: Sequence[Any], operands: Sequence[Any], out: Any) -> Any:
    """Do the same as `record` for the call of a plan."""
    if not _is_symbolic(operands):
        return run(*recipe, *map(_value, operands), out=out)
    equation, shapes, path, dtype, keywords, strict = Recipe(*recipe)
    options = {"optimize": ("einsum_path", *path), **dict(keywords)}
    options |= {"strict": True} if strict else {}
    options |= {name: x for name, x in (("dtype", dtype), ("out", out)) if x is not None}
    return _symbolic(equation, operands, options, shapes)


def _symbolic(
    key: str | Sublists, xs: Sequence[Any], options: Mapping[str, Any], planned: Sequence[Any] | None = None
) -> Any:
    """Make an operation and apply it. Check first, since Keras would wrap an error in its own text."""
    if "out" in options:
        raise OperandTypeError("out= cannot be filled: keras KerasTensors are symbolic")
    hints = check_hints(options.get("hints"), key)
    bound = _bind(key, xs, options.get("dtype"), dict(hints))
    if options.get("strict"):
        check_operands(bound, _adapter())
    if planned is not None:
        check_planned(planned, bound)
    text = key if isinstance(key, str) else in_letters(bound.equation)
    saved = _saved(text, bound, hints, options)
    # Keras would take a list as several operands.
    xs = [keras.ops.convert_to_tensor(x, bound.dtype) if isinstance(x, (list, tuple)) else x for x in xs]
    return Einsum(text, **saved)(*xs)


def _saved(
    text: str, bound: Bound, hints: Sequence[tuple[Label, int]], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options in a form that can be saved with a model: text, numbers, and lists of these."""
    saved = dict(options)
    how = strategy(options.get("optimize", "auto"))
    sizes = tuple(map(int, bound.sizes))
    path = find_path(bound.reduced(), bound.output, sizes, how)
    if "optimize" in options and not isinstance(options["optimize"], (str, bool)):
        saved["optimize"] = ["einsum_path", *map(list, path)]
    if "dtype" in options:
        saved["dtype"] = bound.dtype
    if hints:
        # Corresponding positions of both equations have a label and its letter.
        pairs = zip(bound.equation.inputs, parse(text).inputs, strict=True)
        spelled = {label: name for terms in pairs for label, name in zip(*terms, strict=True)}
        saved["hints"] = {"..." if label is ... else spelled[label]: size for label, size in hints}
    return saved


def _bind(key: str | Sublists, xs: Sequence[Any], dtype: Any, hints: Hints = MappingProxyType({})) -> Bound:
    adapter = _adapter()
    operands = [_operand(x, number, adapter) for number, x in enumerate(xs)]
    return bind(parse(key), operands, adapter, dtype, hints)


def _adapter() -> Backend:
    return load(keras.backend.backend())


def _is_symbolic(operands: Sequence[Any]) -> bool:
    items = [item for x in operands for item in (x if isinstance(x, (list, tuple)) else (x,))]
    return any(isinstance(x, keras.KerasTensor) for x in items)


def _value(x: Any) -> Any:
    """Replace a variable by its tensor, also inside a list of operands."""
    if isinstance(x, (list, tuple)) and any(isinstance(item, keras.Variable) for item in x):
        return [_value(item) for item in x]
    return x.value if isinstance(x, keras.Variable) else x


def _operand(x: Any, number: int, adapter: Backend) -> Operand:
    """Return the description of an operand that `bind` takes."""
    x, cls = (x, type(x)) if isinstance(x, keras.KerasTensor) else prepare(x, number)
    weak = cls if cls in WEAK else None
    library = adapter.name if cls is not np.ndarray else "numpy"
    return Operand(tuple(x.shape), name_of(x.dtype), library, Form.TENSOR, weak)
