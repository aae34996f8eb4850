"""The reader as a torch model: the encoder's own transformer with heads for span, evidence and answerability."""

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from bot.reader import MOST_QUESTION, MOST_TOKENS, beginning
from bot.training.data import Example

IGNORED = -100


class Reader(nn.Module):
    """Map a question beside a passage to logits: (batch, tokens, 3) for start, end and evidence, (batch,) answerable."""

    def __init__(self, transformer: nn.Module, width: int) -> None:
        super().__init__()
        self.transformer = transformer
        self.tokens = nn.Linear(width, 3)
        self.answerable = nn.Linear(width, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        states = self.transformer(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        return self.tokens(states), self.answerable(states[:, 0]).squeeze(-1)


def context_of(example: Example) -> tuple[str, int]:
    """Return the text beside the question and where the passage begins in it, after its title."""
    prefix = beginning(example.title)
    return prefix + example.text, len(prefix)


def encode(tokenizer: Tokenizer, examples: Sequence[Example]) -> list[Encoding]:
    """Tokenise examples as pairs of question and titled passage; of a long pair the passage is cut."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS, strategy="only_second")
    return tokenizer.encode_batch([(e.question[:MOST_QUESTION], context_of(e)[0]) for e in examples])


def batch(examples: Sequence[Example], encodings: Sequence[Encoding]) -> dict[str, Tensor]:
    """Return padded inputs and labels; `start` and `end` are token places, 0 for none, IGNORED where not learnt."""
    width = max(len(e.ids) for e in encodings)
    shape = (len(examples), width)
    ids, mask, types = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    inside, evidence = torch.zeros(shape), torch.zeros(shape)
    start, end = torch.zeros(len(examples), dtype=torch.long), torch.zeros(len(examples), dtype=torch.long)
    answerable = torch.zeros(len(examples))
    for i, (example, encoding) in enumerate(zip(examples, encodings, strict=True)):
        n, shift = len(encoding.ids), context_of(example)[1]
        ids[i, :n], mask[i, :n] = torch.tensor(encoding.ids), 1
        types[i, :n] = torch.tensor(encoding.type_ids)
        spans = [
            (a - shift, b - shift) if s == 1 and b > a and a >= shift else None
            for (a, b), s in zip(encoding.offsets, encoding.sequence_ids, strict=True)
        ]
        for j, span in enumerate(spans):
            if span:
                inside[i, j] = 1
                evidence[i, j] = any(span[0] < y and span[1] > x for x, y in example.evidence)
        answerable[i] = bool(evidence[i].sum()) if example.evidence else 0.0
        if example.evidence:
            answer = example.answer
            places = [j for j, s in enumerate(spans) if answer and s and s[0] < answer[1] and s[1] > answer[0]]
            start[i], end[i] = (places[0], places[-1]) if places else (IGNORED, IGNORED)
    return {
        "input_ids": ids, "attention_mask": mask, "token_type_ids": types, "inside": inside, "evidence": evidence,
        "start": start, "end": end, "answerable": answerable,
    }  # fmt: skip


def loss(model: Reader, data: dict[str, Tensor]) -> Tensor:
    """Return the sum of the losses of span, evidence and answerability."""
    tokens, answerable = model(data["input_ids"], data["attention_mask"], data["token_type_ids"])
    tokens, answerable = tokens.float(), answerable.float()
    allowed = data["inside"].bool().clone()
    allowed[:, 0] = True  # the first token stands for "no answer here"
    logits = tokens.masked_fill(~allowed[..., None], -1e4)
    functional: Any = nn.functional
    span = sum(
        functional.cross_entropy(logits[..., i], data[name], ignore_index=IGNORED)
        for i, name in enumerate(("start", "end"))
    )
    each = functional.binary_cross_entropy_with_logits(tokens[..., 2], data["evidence"], reduction="none")
    evidence = (each * data["inside"]).sum() / data["inside"].sum().clamp(min=1)
    known = functional.binary_cross_entropy_with_logits(answerable, data["answerable"])
    total: Tensor = span / 2 + 2 * evidence + known
    return total
