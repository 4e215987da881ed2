"""One thread for everything: imported before NumPy and the frameworks, as their libraries read this once."""

from __future__ import annotations

import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # torch's profiler is chatty


def limit_frameworks() -> None:
    """Give the frameworks that are imported one thread; to be called before their first operation."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)
    if "tensorflow" in sys.modules:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
