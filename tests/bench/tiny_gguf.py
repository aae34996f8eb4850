"""Make a language model of random weights: `python tests/bench/tiny_gguf.py OUT.gguf < WORDS`.

Run by the Python that has llama-cpp-python and gguf, which gapbot itself does not need. Its vocabulary is the words on
standard input, so what it writes is nonsense made of the words that an answer would be made of.
"""

import sys

import gguf  # type: ignore[import-not-found,unused-ignore]
import numpy as np
import numpy.typing as npt

_WIDTH, _LAYERS, _HEADS, _CONTEXT = 128, 4, 4, 16_384


def main() -> None:
    words = list(dict.fromkeys(sys.stdin.read().split()))
    special = ["<unk>", "<s>", "</s>"]
    characters = [chr(c) for c in range(33, 127)]
    tokens = special + [f"<0x{b:02X}>" for b in range(256)] + ["\u2581"] + characters
    kinds = [2, 3, 3] + [6] * 256 + [1] * (1 + len(characters))
    spoken = ["\u2581" + w for w in words]
    out = gguf.GGUFWriter(sys.argv[1], "llama")
    out.add_name("nonsense")
    out.add_context_length(_CONTEXT)
    out.add_embedding_length(_WIDTH)
    out.add_block_count(_LAYERS)
    out.add_feed_forward_length(2 * _WIDTH)
    out.add_head_count(_HEADS)
    out.add_head_count_kv(_HEADS)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(_WIDTH // _HEADS)
    out.add_vocab_size(len(tokens) + len(spoken))
    out.add_tokenizer_model("llama")
    out.add_token_list([t.encode() for t in tokens + spoken])
    out.add_token_scores([0.0] * len(tokens) + [-1.0 * n for n in range(len(spoken))])
    out.add_token_types(kinds + [1] * len(spoken))
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_unk_token_id(0)
    chance = np.random.default_rng(7)

    def weights(*shape: int, scale: float = 1.0) -> npt.NDArray[np.float32]:
        made: npt.NDArray[np.float32] = (chance.standard_normal(shape) * (scale / shape[-1] ** 0.5)).astype(np.float32)
        return made

    size = len(tokens) + len(spoken)
    out.add_tensor("token_embd.weight", weights(size, _WIDTH, scale=8.0))
    out.add_tensor("output_norm.weight", np.ones(_WIDTH, np.float32))
    # Words are said, and the ends of sentences and markers among them more often; bytes and single characters are not.
    head = weights(size, _WIDTH, scale=8.0)
    head[: len(tokens)] *= 0.01
    head[2] *= 115.0
    for place, word in enumerate(words):
        if word.endswith("."):
            head[len(tokens) + place] *= 1.3
    out.add_tensor("output.weight", head)
    for n in range(_LAYERS):
        out.add_tensor(f"blk.{n}.attn_norm.weight", np.ones(_WIDTH, np.float32))
        out.add_tensor(f"blk.{n}.ffn_norm.weight", np.ones(_WIDTH, np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            out.add_tensor(f"blk.{n}.{name}.weight", weights(_WIDTH, _WIDTH, scale=3.0))
        out.add_tensor(f"blk.{n}.ffn_gate.weight", weights(2 * _WIDTH, _WIDTH, scale=3.0))
        out.add_tensor(f"blk.{n}.ffn_up.weight", weights(2 * _WIDTH, _WIDTH, scale=3.0))
        out.add_tensor(f"blk.{n}.ffn_down.weight", weights(_WIDTH, 2 * _WIDTH, scale=3.0))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


if __name__ == "__main__":
    main()
