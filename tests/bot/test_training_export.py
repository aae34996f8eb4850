"""The shipped reader as weights that one can go on training with."""

import torch
from transformers import AutoModel

from bot.reader import FILE
from bot.reader import Reader as Shipped
from bot.training.data import Example
from bot.training.export import restored
from bot.training.model import Reader, batch, encode
from corpus.sentences import sentence_spans
from index.encoder import PassageText
from index.export import BUNDLED, model_folder

TEXT = "The Orlan bridge opened on 4 June 1987. It is 612 metres long and cost 31 million crowns."


def test_the_weights_of_the_shipped_file_read_as_the_file_does() -> None:
    reader = Reader(AutoModel.from_pretrained(model_folder(BUNDLED)), 384)
    reader.load_state_dict(restored(FILE, reader))
    shipped = Shipped()
    passage = PassageText("Orlan", TEXT, tuple(sentence_spans(TEXT)))
    for question in ("How long is the Orlan bridge?", "Who sells apples in Lima?"):
        example = Example("", question, "Orlan", TEXT, None, ())
        data = batch([example], encode(shipped._tokenizer, [example]))
        with torch.inference_mode():
            tokens, answerable = reader.eval()(data["input_ids"], data["attention_mask"], data["token_type_ids"])
        read = shipped.read(question, [passage])[0]
        # The file computes with 8 bits where these weights compute with 32.
        assert abs(float(answerable[0]) - read.answerable) < 0.5
        encoding = encode(shipped._tokenizer, [example])[0]
        shift = len("Orlan. ")
        for sentence, (a, b) in zip(read.sentences, passage.sentences, strict=True):
            own = [i for i, (x, y) in enumerate(encoding.offsets)
                   if encoding.sequence_ids[i] == 1 and y > x and a <= x - shift < b]  # fmt: skip
            assert abs(float(tokens[0, own, 2].mean()) - sentence.evidence) < 1
            starts, ends = ({encoding.offsets[i][k] - shift: float(tokens[0, i, k]) for i in own} for k in (0, 1))
            assert all(abs(v - starts[place]) < 1.5 for place, v in sentence.starts.items())
            assert all(abs(v - ends[place]) < 1.5 for place, v in sentence.ends.items())
