"""Takes calls with what is Keras' own, on any of its backends: symbolic tensors and variables.

Calls with symbolic tensors become operations of a functional model, variables the tensors that they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from einsum_unified.arguments import KEYWORDS, arguments, check_keywords, prepare
from einsum_unified.backend import Backend, Form
from einsum_unified.dispatch import load
from einsum_unified.dtypes import WEAK, name_of
from einsum_unified.equation import parse
from einsum_unified.errors import OperandTypeError
from einsum_unified.letters import in_letters
from einsum_unified.operands import Operand, bind


@keras.saving.register_keras_serializable(package="einsum_unified")
class Einsum(keras.Operation):  # type: ignore[misc]
    """The call of ``einsum`` as a step of a model, which is saved and loaded with it."""

    def __init__(self, equation: str, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name)
        self.equation = equation
        self.options = options

    def call(self, *operands: Any) -> Any:
        """Contract the backend's tensors."""
        from einsum_unified import einsum

        return einsum(self.equation, *operands, **self.options)

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal operation."""
        return {"name": self.name, "equation": self.equation, **self.options}


def record(
    einsum: Callable[..., Any], equation: Any, operands: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Return the symbolic result, of which shape and dtype are found, and errors raised, at once.

    Without symbolic tensors it is the result for the variables' values.
    """
    adapter = load(keras.backend.backend())
    check_keywords(options, KEYWORDS, "einsum", adapter)
    if not any(isinstance(x, keras.KerasTensor) for x in _flat(operands)):
        values = [_value(x) for x in (equation, *operands)]
        return einsum(*values, **options)
    if "out" in options:
        raise OperandTypeError("out= cannot be filled: keras KerasTensors are symbolic")
    key, xs = arguments(equation, operands)
    bind(parse(key), [_operand(x, number, adapter) for number, x in enumerate(xs)], adapter)
    return Einsum(key if isinstance(key, str) else in_letters(parse(key)), **options)(*xs)


def _flat(operands: Sequence[Any]) -> list[Any]:
    return [item for x in operands for item in (x if isinstance(x, (list, tuple)) else (x,))]


def _value(x: Any) -> Any:
    """Return a variable's tensor, also of those in a list of operands."""
    if isinstance(x, (list, tuple)) and any(isinstance(item, keras.Variable) for item in x):
        return [_value(item) for item in x]
    return x.value if isinstance(x, keras.Variable) else x


def _operand(x: Any, number: int, adapter: Backend) -> Operand:
    """Describe an operand, so that what is wrong is said in our words, not in Keras' around them."""
    x, cls = (x, type(x)) if isinstance(x, keras.KerasTensor) else prepare(x, number)
    weak = cls if cls in WEAK else None
    library = adapter.name if cls is not np.ndarray else "numpy"
    return Operand(tuple(x.shape), name_of(x.dtype), library, Form.TENSOR, weak)
