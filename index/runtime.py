"""onnxruntime, in the one place that knows it."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpus.errors import EncoderError
from index.threads import threads_here

# It reports its use to its maker unless told not to before it is imported; gapbot reports nothing to anyone.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

onnxruntime.disable_telemetry_events()


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
