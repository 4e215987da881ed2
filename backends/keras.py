"""Makes calls with Keras' symbolic tensors operations of a functional model, on any backend of Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from einsum_unified.arguments import arguments, prepare
from einsum_unified.dispatch import load
from einsum_unified.dtypes import WEAK, name_of
from einsum_unified.equation import parse
from einsum_unified.errors import OperandTypeError
from einsum_unified.letters import in_letters
from einsum_unified.operands import Operand, bind
from einsum_unified.primitives import Backend, Form


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
    """Return the symbolic result; shapes and dtypes are found, and errors raised, at once."""
    if "out" in options:
        raise OperandTypeError("out= cannot be filled: keras KerasTensors are symbolic")
    key, xs = arguments(equation, operands)
    adapter = load(keras.backend.backend())
    bind(parse(key), [_operand(x, number, adapter) for number, x in enumerate(xs)], adapter)
    return Einsum(key if isinstance(key, str) else in_letters(parse(key)), **options)(*xs)


def _operand(x: Any, number: int, adapter: Backend) -> Operand:
    """Describe an operand, so that what is wrong is said in our words, not in Keras' around them."""
    x, cls = (x, type(x)) if isinstance(x, keras.KerasTensor) else prepare(x, number)
    weak = cls if cls in WEAK else None
    library = adapter.name if cls is not np.ndarray else "numpy"
    return Operand(tuple(x.shape), name_of(x.dtype), library, Form.TENSOR, weak)
