"""A library function that works with any framework its caller uses.

The library's author writes the mathematics once, without a wrapper, a flag or an import of a
framework. Run it with ``python examples/library_author.py``.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

import numpy as np

from einsum_unified import OperandError, einsum


def mahalanobis(points: Any, mean: Any, precision: Any) -> Any:
    """Return the squared Mahalanobis distances, of shape (...), of points of shape (..., n).

    ``mean`` is (n,), ``precision`` is (n, n), the inverse of the covariance.
    """
    d = points - mean
    return einsum("...i,ij,...j->...", d, precision, d)


points = np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 0.0]])
mean, precision = np.array([1.0, 1.0]), np.array([[2.0, 0.5], [0.5, 1.0]])

distances = mahalanobis(points, mean, precision)
print("numpy       ", type(distances).__name__, distances)

if find_spec("torch"):
    torch = importlib.import_module("torch")
    x = torch.tensor(points, requires_grad=True)
    # `precision` is still a NumPy array: it is converted to the tensors' framework, dtype and device.
    distances = mahalanobis(x, torch.tensor(mean), precision)
    distances.sum().backward()
    print("torch       ", type(distances).__name__, distances.detach().numpy())
    print("  gradient  ", x.grad.tolist())

if find_spec("tensorflow"):
    tf = importlib.import_module("tensorflow")
    compiled = tf.function(mahalanobis)
    distances = compiled(tf.constant(points), tf.constant(mean), tf.constant(precision))
    print("tensorflow  ", type(distances).__name__, distances.numpy(), "(inside tf.function)")

try:
    mahalanobis(points, mean, np.eye(3))
except OperandError as error:
    print(f"\nAn error shows the caller's own shapes and the equation:\n{error}")
