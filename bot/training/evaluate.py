"""Measures of a reader on questions that it has not seen, each beside its own passage."""

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer

from bot.training.data import Example
from bot.training.model import Reader, batch, context_of, encode
from corpus.sentences import sentence_spans

_MOST_SPAN = 24


def normal(text: str) -> list[str]:
    """Return the words of a text as SQuAD compares them: no case, punctuation or articles."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1(found: str, gold: str) -> float:
    """Return the harmonic mean of precision and recall of the words found."""
    a, b = normal(found), normal(gold)
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b)) if a or b else 1.0


@torch.inference_mode()
def evaluate(model: Reader, tokenizer: Tokenizer, examples: Sequence[Example], size: int = 32) -> dict[str, float]:
    """Return answerability AUC, exact match and F1 of the span, and how often the best sentence is evidence."""
    model.eval()
    known, labels, exact, overlaps, hits = [], [], [], [], []
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].text))
    for at in range(0, len(order), size):
        chunk = [examples[i] for i in order[at : at + size]]
        encodings = encode(tokenizer, chunk)
        data = batch(chunk, encodings)
        tokens, answerable = model(data["input_ids"], data["attention_mask"], data["token_type_ids"])
        for example, encoding, logits, score in zip(chunk, encodings, tokens, answerable, strict=True):
            known.append(float(score))
            labels.append(bool(example.evidence))
            if not example.evidence:
                continue
            context, shift = context_of(example)
            offsets = encoding.offsets
            inside = [s == 1 and b > a and a >= shift for (a, b), s in zip(offsets, encoding.sequence_ids, strict=True)]
            if example.answer:
                a, b = best_span(logits.numpy()[: len(offsets)], np.array(inside))
                said = context[offsets[a][0] : offsets[b][1]]
                gold = example.text[slice(*example.answer)]
                exact.append(normal(said) == normal(gold))
                overlaps.append(f1(said, gold))
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
        }
    if len(set(labels)) == 2:
        result["auc"] = float(roc_auc_score(labels, known))
    return {k: round(v, 3) for k, v in result.items()}


def best_span(logits: "np.ndarray", inside: "np.ndarray") -> tuple[int, int]:
    """Return the tokens of the best span of at most 24 tokens within the passage."""
    start = np.where(inside, logits[:, 0], -1e9)
    end = np.where(inside, logits[:, 1], -1e9)
    pairs = start[:, None] + end[None, :]
    allowed = np.triu(np.ones_like(pairs, dtype=bool)) & ~np.triu(np.ones_like(pairs, dtype=bool), _MOST_SPAN)
    a, b = np.unravel_index(np.argmax(np.where(allowed, pairs, -1e18)), pairs.shape)
    return int(a), int(b)
