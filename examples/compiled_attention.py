"""An attention block compiled by torch and by TensorFlow, with one compilation for all batch sizes.

Run it with ``python examples/compiled_attention.py``. Frameworks that are not installed are skipped.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from einsum_unified import einsum

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCHES = (2, 5, 9)
SEQUENCE, HEADS, DEPTH = 12, 4, 8
HIDDEN = HEADS * DEPTH


def attention(x: Any, qkv: Any, out: Any, softmax: Callable[[Any], Any]) -> Any:
    """Return attention of shape (batch, sequence, hidden).

    ``qkv`` has the shape (3, hidden, heads, depth) and ``out`` the shape (heads, depth, hidden).
    """
    q, k, v = (einsum("btc,chd->bhtd", x, qkv[n]) for n in range(3))
    scores = einsum("bhid,bhjd,->bhij", q, k, DEPTH**-0.5)
    return einsum("bhij,bhjd,hdc->bic", softmax(scores), v, out)


def report(name: str, difference: float, compilations: int) -> None:
    """Check that eager and compiled results agree, and print a line."""
    assert difference < 1e-5, f"{name} disagrees"
    print(f"{name:<30}{compilations} compiled, eager and compiled differ by {difference:.1e} at most")


random = np.random.default_rng(0)
inputs = [random.standard_normal((batch, SEQUENCE, HIDDEN)).astype("float32") for batch in BATCHES]
qkv = random.normal(0, HIDDEN**-0.5, (3, HIDDEN, HEADS, DEPTH)).astype("float32")
out = random.normal(0, HIDDEN**-0.5, (HEADS, DEPTH, HIDDEN)).astype("float32")

print(f"attention of {HEADS} heads on batches of {', '.join(map(str, BATCHES))}\n")

if find_spec("torch"):
    torch = importlib.import_module("torch")
    weights = torch.tensor(qkv), torch.tensor(out)

    def torch_block(x: Any) -> Any:
        """Apply the block to torch tensors."""
        return attention(x, *weights, lambda s: torch.softmax(s, -1))

    for backend in ("eager", "aot_eager"):
        torch.compiler.reset()
        counter = importlib.import_module("torch._dynamo.testing").CompileCounterWithBackend(backend)
        compiled = torch.compile(torch_block, fullgraph=True, dynamic=True, backend=counter)
        difference = max((compiled(x) - torch_block(x)).abs().max().item() for x in map(torch.tensor, inputs))
        report(f"torch.compile, {backend}", difference, counter.frame_count)

    batch = {0: torch.export.Dim("batch")}
    module = torch.nn.Module()
    module.forward = torch_block
    program = torch.export.export(module, (torch.tensor(inputs[0]),), dynamic_shapes={"x": batch})
    difference = max(
        (program.module()(x) - torch_block(x)).abs().max().item() for x in map(torch.tensor, inputs)
    )
    report("torch.export", difference, 1)

if find_spec("tensorflow"):
    tf = importlib.import_module("tensorflow")
    tf_weights = tf.constant(qkv), tf.constant(out)

    def tf_block(x: Any) -> Any:
        """Apply the block to TensorFlow tensors."""
        return attention(x, *tf_weights, tf.nn.softmax)

    for compiler, jit in (("tf.function", False), ("tf.function, XLA", True)):
        signature = [tf.TensorSpec([None, SEQUENCE, HIDDEN])]
        function = tf.function(tf_block, input_signature=signature, jit_compile=jit)
        difference = max(np.abs(function(x) - tf_block(tf.constant(x))).max() for x in inputs)
        report(compiler, difference, function.experimental_get_tracing_count())
