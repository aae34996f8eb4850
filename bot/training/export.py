"""Write the trained reader as the ONNX file that gapbot ships: `python -m bot.training.export --work FOLDER`.

The graph takes word embeddings, which every user has with the encoder's weights, so they are not in the file; its
weights are stored in half precision and computed with in full.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import AutoModel

from bot.training.model import Reader
from index.export import BUNDLED, file_sha256, model_folder

_SMALL = 1024


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
    program.save(str(out))
    model = onnx.load(str(out))
    halve(model.graph)
    bare(model)
    onnx.save(model, str(out))


def bare(model: Any) -> None:
    """Take out what the exporter notes of where each node came from: it tells of the machine that exported, and no more."""
    graph = model.graph
    del model.metadata_props[:], graph.metadata_props[:]
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def halve(graph: Any) -> None:
    """Store the large weights of a graph in half precision; nodes cast them back when the graph is loaded."""
    kept, casts = [], []
    for weight in graph.initializer:
        array = numpy_helper.to_array(weight)
        if array.dtype != np.float32 or array.size < _SMALL:
            kept.append(weight)
            continue
        kept.append(numpy_helper.from_array(array.astype(np.float16), weight.name + "_half"))
        casts.append(helper.make_node("Cast", [weight.name + "_half"], [weight.name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def restored(file: Path, reader: Reader) -> dict[str, torch.Tensor]:
    """Return the state of a reader from its exported file, to the half precision that the file keeps.

    The export names biases and embeddings as the module does; a matrix is found by the bias that is added after it.
    """
    graph = onnx.load(str(file)).graph
    plain = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    plain |= {n.output[0]: plain[n.input[0]] for n in graph.node if n.op_type == "Cast" and n.input[0] in plain}
    adds = {name: n for n in graph.node if n.op_type == "Add" for name in n.input}
    state = reader.state_dict()
    found = {k: plain[f"reader.{k}"] for k in state if f"reader.{k}" in plain}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in plain and node.output[0] in adds:
            bias = next(name for name in adds[node.output[0]].input if name in plain)
            name = bias.removeprefix("reader.").removesuffix("bias") + "weight"
            found.setdefault(name, plain[node.input[1]].T)
    unused = ("transformer.pooler.", "transformer.embeddings.word_embeddings.")
    missing = [k for k in state if k not in found and not k.startswith(unused)]
    if missing:
        raise ValueError(f"{file} lacks {', '.join(missing)}")
    return state | {k: torch.tensor(np.array(v, np.float32)).reshape(state[k].shape) for k, v in found.items()}


if __name__ == "__main__":
    main()
