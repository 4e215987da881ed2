"""Multi-head attention, written once and run on NumPy, PyTorch and TensorFlow with the same weights.

Run it with ``python examples/attention.py``. Frameworks that are not installed are skipped.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from einsum_unified import einsum

BATCH, SEQUENCE, HIDDEN, HEADS = 2, 10, 16, 8
DEPTH = HIDDEN // HEADS


def attention(x: Any, weights: list[Any], softmax: Callable[[Any], Any], reshape: Callable[..., Any]) -> Any:
    """Return attention of shape (batch, sequence, hidden); each einsum works on any framework's tensors."""
    q, k, v = (einsum("btc,cd->btd", x, w) for w in weights)
    q, k, v = (reshape(y, (BATCH, SEQUENCE, HEADS, DEPTH)) for y in (q, k, v))
    scores = einsum("bihd,bjhd->bhij", q, k)
    weighted = einsum("bhij,bjhd->bihd", softmax(einsum("bhij,->bhij", scores, DEPTH**-0.5)), v)
    return reshape(weighted, (BATCH, SEQUENCE, HIDDEN))


def numpy_softmax(x: Any) -> Any:
    """Softmax over the last axis, with NumPy."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


random = np.random.default_rng(0)
x = random.standard_normal((BATCH, SEQUENCE, HIDDEN)).astype("float32")
weights = [random.normal(0, HIDDEN**-0.5, (HIDDEN, HIDDEN)).astype("float32") for _ in range(3)]

results = {"numpy": attention(x, weights, numpy_softmax, np.reshape)}
if find_spec("torch"):
    torch = importlib.import_module("torch")
    tensors = [torch.tensor(w) for w in weights]
    results["torch"] = attention(torch.tensor(x), tensors, lambda s: torch.softmax(s, -1), torch.reshape)
if find_spec("tensorflow"):
    tf = importlib.import_module("tensorflow")
    tensors = [tf.constant(w) for w in weights]
    results["tensorflow"] = attention(tf.constant(x), tensors, tf.nn.softmax, tf.reshape)

print(f"attention of {BATCH} sequences of {SEQUENCE} tokens, {HEADS} heads\n")
for name, result in results.items():
    difference = np.abs(np.asarray(result) - results["numpy"]).max()
    print(f"{name:<12}{type(result).__name__:<14}{result.dtype!s:<26}difference {difference:.1e}")
    assert difference < 1e-5, f"{name} disagrees"
