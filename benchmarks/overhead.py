"""Time per call on small operands, ours beside the framework's own einsum, interleaved in one run.

``python -m benchmarks.overhead``: one thread, ``time.process_time``, the least of several rounds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import tensorflow as tf
import torch

from einsum_unified import einsum

EQUATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "ij->ji": ((4, 4),),
    "ii->i": ((4, 4),),
    "ij->": ((4, 4),),
    "ij->j": ((4, 4),),
    "i,i->": ((4,), (4,)),
    "i,j->ij": ((4,), (4,)),
    "ij,ij->ij": ((4, 4), (4, 4)),
    "ij,j->i": ((4, 4), (4,)),
    "ij,jk->ik": ((4, 4), (4, 4)),
    "ij,kj->ik": ((4, 4), (4, 4)),
    "bij,bjk->bik": ((2, 4, 4), (2, 4, 4)),
    "bhid,bhjd->bhij": ((2, 2, 4, 4), (2, 2, 4, 4)),
    "...ij,jk->...ik": ((2, 4, 4), (4, 4)),
    "ij,jk,kl->il": ((4, 4), (4, 4), (4, 4)),
    "ab,bc,cd,de->ae": ((4, 4), (4, 4), (4, 4), (4, 4)),
}
BATCHED = "bij,bjk->bik", ((32, 64, 64), (32, 64, 64))
FRAMEWORKS: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
    "numpy": (np.einsum, np.asarray),
    "torch": (torch.einsum, torch.tensor),
    "tensorflow": (tf.einsum, tf.constant),
}


def compare(
    own: Callable[..., Any], equation: str, tensors: list[Any], calls: int, rounds: int = 7
) -> tuple[float, float]:
    """Return µs a call of ours and of the framework's own, the two taking turns."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for which, function in enumerate((einsum, own)):
            function(equation, *tensors)
            start = time.process_time()
            for _ in range(calls):
                function(equation, *tensors)
            best[which] = min(best[which], (time.process_time() - start) / calls * 1e6)
    return best[0], best[1]


def main() -> None:
    """Print µs of ours, of the framework's own, and the ratio; then the geometric means."""
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print("versions:", sys.version.split()[0], np.__version__, torch.__version__, tf.__version__)
    print(f"{'equation':<18}" + "".join(f"{name + ': ours, own, ratio':>34}" for name in FRAMEWORKS))
    ratios: dict[str, list[float]] = {name: [] for name in FRAMEWORKS}
    for equation, shapes, calls in [*((e, s, 500) for e, s in EQUATIONS.items()), (*BATCHED, 20)]:
        line = f"{equation:<18}"
        for name, (own, tensor) in FRAMEWORKS.items():
            tensors = [tensor(np.ones(shape, "float32")) for shape in shapes]
            ours, theirs = compare(own, equation, tensors, calls)
            line += f"{ours:>16.1f}{theirs:>10.1f}{ours / theirs:>8.2f}"
            if calls == 500:
                ratios[name].append(ours / theirs)
        print(line if calls == 500 else f"{line}  <- 32×64×64")
    means = [float(np.exp(np.mean(np.log(ratios[name])))) for name in FRAMEWORKS]
    print(f"{'geometric mean':<18}" + "".join(f"{mean:>34.2f}" for mean in means))


if __name__ == "__main__":
    main()
