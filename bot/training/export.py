"""Write the trained reader as the ONNX file that gapbot ships: `python -m bot.training.export --work FOLDER`.

The graph takes word embeddings, which every user has with the encoder's weights, so they are not in the file. Its matrices
are of 8 bits, each column with a scale of its own, and what goes into them is brought to 8 bits as it comes (dynamic
quantization, onnxruntime.ai/docs/performance/model-optimizations/quantization.html): that halves the file and the time.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from transformers import AutoModel

from bot.training.model import Reader
from index.export import BUNDLED, file_sha256, model_folder
from index.runtime import quantized


class _FromEmbeddings(torch.nn.Module):
    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, embeddings: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> Any:
        states = self.reader.transformer(
            inputs_embeds=embeddings, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        return self.reader.tokens(states), self.reader.answerable(states[:, 0]).squeeze(-1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True, help="folder of the trained model")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "reader.onnx")
    options = parser.parse_args()
    transformer = AutoModel.from_pretrained(model_folder(BUNDLED))
    reader = Reader(transformer, transformer.config.hidden_size)
    trained = options.work / "reader.pt"
    if trained.is_file():
        reader.load_state_dict(torch.load(trained, map_location="cpu"))
    else:
        reader.load_state_dict(torch.load(options.work / "checkpoint.pt", map_location="cpu")["model"])
    export(reader, options.out)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes, SHA-256 {file_sha256(options.out)}")


def export(reader: Reader, out: Path) -> None:
    """Write the reader's graph: embeddings (batch, tokens, width), attention_mask, token_type_ids → logits."""
    config: Any = reader.transformer.config
    width = int(config.hidden_size)
    dynamic = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    mask = torch.ones(2, 16, dtype=torch.long)
    program = torch.onnx.export(
        _FromEmbeddings(reader).eval(), (torch.randn(2, 16, width), mask, torch.zeros_like(mask)), dynamo=True,
        dynamic_shapes=(dynamic, dynamic, dynamic), input_names=["embeddings", "attention_mask", "token_type_ids"],
        output_names=["tokens", "answerable"], verbose=False,
    )  # fmt: skip
    assert program is not None
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary) / "reader.onnx"
        program.save(str(whole))
        quantized(whole, out)
    model = onnx.load(str(out))
    bare(model)
    onnx.save(model, str(out))


def bare(model: Any) -> None:
    """Take out what the exporter notes of where each node came from: it tells of the machine that exported, and no more."""
    graph = model.graph
    del model.metadata_props[:], graph.metadata_props[:]
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def restored(file: Path, reader: Reader) -> dict[str, torch.Tensor]:
    """Return the state of a reader from its exported file, as near as 7 bits come to it. Raises ValueError for another file.

    The export names biases and embeddings as the module does; a matrix is found by the bias that is added after it.
    """
    graph = onnx.load(str(file)).graph
    plain = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    adds = {name: n for n in graph.node if n.op_type == "Add" for name in n.input}
    state = reader.state_dict()
    found = {k: plain[f"reader.{k}"] for k in state if f"reader.{k}" in plain}
    for node in graph.node:
        product = node.output[0].removesuffix("_output_quantized")
        if node.op_type == "MatMulInteger" and product in adds:
            name = node.input[1].removesuffix("_quantized")
            # (rows, columns) less the zero and times the scale of each column, both of shape (columns,).
            matrix = (plain[node.input[1]].astype(np.float32) - plain[f"{name}_zero_point"]) * plain[f"{name}_scale"]
            biases = [name for name in adds[product].input if name in plain]
            found |= {b.removeprefix("reader.").removesuffix("bias") + "weight": matrix.T for b in biases}
    unused = ("transformer.pooler.", "transformer.embeddings.word_embeddings.")
    found = {k: v for k, v in found.items() if k in state and v.shape == tuple(state[k].shape)}
    missing = [k for k in state if k not in found and not k.startswith(unused)]
    if missing:
        raise ValueError(f"{file} lacks {', '.join(missing)}")
    return state | {k: torch.tensor(np.array(v, np.float32)) for k, v in found.items()}


if __name__ == "__main__":
    main()
