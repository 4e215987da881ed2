"""Limit threads and keep freed memory; imported before NumPy and the frameworks, which read this once."""

from __future__ import annotations

import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # torch's profiler logs a lot

_KEEP = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**30)}


def keep_memory() -> None:
    """Restart the interpreter with an allocator that keeps freed memory instead of returning it.

    Otherwise the time of a call that allocates megabytes depends on whether earlier calls left memory behind:
    page faults can take half of the time, for one contender and not for the next. glibc reads these variables
    when a process starts; other C libraries ignore them.
    """
    if any(os.environ.get(name) != value for name, value in _KEEP.items()):
        command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **_KEEP})


def limit_frameworks() -> None:
    """Limit the imported frameworks to one thread; must be called before their first operation."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)
    if "tensorflow" in sys.modules:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
