"""Measures of a reader on questions that it has not seen, each beside its own passage."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer

from bot.reader import best_span
from bot.training.data import Example
from bot.training.model import Reader, batch, context_of, encode
from bot.training.squad import f1, normalised
from corpus.sentences import sentence_spans


@torch.inference_mode()
def evaluate(model: Reader, tokenizer: Tokenizer, examples: Sequence[Example], size: int = 32) -> dict[str, float]:
    """Return answerability AUC, exact match and F1 of the span, and how often the best sentence is evidence.

    And what the spans that fall short are made of, as shares of all: those that lie elsewhere, hold more than the
    answer, or only a part of it.
    """
    model.eval()
    device = next(model.parameters()).device
    known, labels, exact, overlaps, hits = [], [], [], [], []
    short: Counter[str] = Counter()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].text))
    for at in range(0, len(order), size):
        chunk = [examples[i] for i in order[at : at + size]]
        encodings = encode(tokenizer, chunk)
        data = batch(chunk, encodings)
        read = model(*(data[k].to(device) for k in ("input_ids", "attention_mask", "token_type_ids")))
        tokens, answerable = (t.cpu() for t in read)
        for example, encoding, logits, score in zip(chunk, encodings, tokens, answerable, strict=True):
            known.append(float(score))
            labels.append(bool(example.evidence))
            if not example.evidence:
                continue
            context, shift = context_of(example)
            offsets = encoding.offsets
            inside = [s == 1 and b > a and a >= shift for (a, b), s in zip(offsets, encoding.sequence_ids, strict=True)]
            if example.answer:
                read, within = logits.numpy()[: len(offsets)], np.array(inside)
                a, b = best_span(np.where(within, read[:, 0], -1e9), np.where(within, read[:, 1], -1e9))
                said = context[offsets[a][0] : offsets[b][1]]
                gold = example.text[slice(*example.answer)]
                exact.append(normalised(said) == normalised(gold))
                overlaps.append(f1(said, gold))
                if overlaps[-1] < 0.8:
                    short["elsewhere" if not overlaps[-1] else "longer" if len(said) > len(gold) else "shorter"] += 1
            scores = {}
            for x, y in sentence_spans(example.text):
                own = [j for j, (p, _) in enumerate(offsets) if inside[j] and x <= p - shift < y]
                scores[x, y] = float(logits[own, 2].mean()) if own else -99.0
            x, y = max(scores, key=lambda s: scores[s])
            hits.append(any(p < y and q > x for p, q in example.evidence))
    result = {"questions": len(examples), "sentence": float(np.mean(hits))}
    if exact:
        result |= {
            "exact": float(np.mean(exact)),
            "f1": float(np.mean(overlaps)),
            "f1>=.8": float(np.mean(np.array(overlaps) >= 0.8)),
            **{kind: count / len(overlaps) for kind, count in sorted(short.items())},
        }
    if len(set(labels)) == 2:
        result["auc"] = float(roc_auc_score(labels, known))
    return {k: round(v, 3) for k, v in result.items()}
