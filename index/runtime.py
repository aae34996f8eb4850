"""onnxruntime, in the one place that knows it."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from corpus.errors import EncoderError

# It reports its use to its maker unless told not to before it is imported; gapbot reports nothing to anyone.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

onnxruntime.disable_telemetry_events()


_T = TypeVar("_T")
_R = TypeVar("_R")


class Session:
    """A loaded ONNX graph. Safe for several threads."""

    def __init__(self, file: Path, threads: int = 0) -> None:
        """Load a graph, to be run by so many threads, or by as many as there are.

        Raises EncoderError if the file is missing or damaged.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or threads_here()
        options.log_severity_level = 3
        # Threads that wait by spinning take the processor from whoever shares it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(file), options)
        except Exception as error:
            raise EncoderError(f"{file} is missing or damaged") from error

    def run(self, **inputs: npt.NDArray[np.generic]) -> list[npt.NDArray[np.float32]]:
        """Run the graph and return its outputs in order."""
        outputs: list[npt.NDArray[np.float32]] = self._session.run(None, inputs)
        return outputs


def at_once(pool: Executor, work: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
    """Do the same work on several items at once, and in order; one after another where the pool takes no more work.

    So it is when a process ends: whoever still waits for an answer gets it.
    """
    items = list(items)
    try:
        begun = [pool.submit(work, item) for item in items]
    except RuntimeError:
        return [work(item) for item in items]
    return [b.result() for b in begun]


def quantized(file: Path, out: Path) -> None:
    """Write a graph with matrices of 8 bits, whose inputs are brought to 8 bits as they come (dynamic quantization)."""
    # Imported here, for only training writes graphs.
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # A range of 7 bits: with 8, processors without instructions for it would overflow, and answer otherwise.
    quantize_dynamic(
        file,
        out,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )


def threads_here() -> int:
    """Return how many threads may compute at once, 8 at most."""
    # Whoever starts several processes on a machine, as Ray does, says how many threads each may have.
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told):
        return min(8, int(told))
    affinity = getattr(os, "sched_getaffinity", None)
    return min(8, len(affinity(0)) if affinity else os.cpu_count() or 1)
