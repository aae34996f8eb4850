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
            _, answerable = reader.eval()(data["input_ids"], data["attention_mask"], data["token_type_ids"])
        # The file computes with 8 bits where these weights compute with 32.
        assert abs(float(answerable[0]) - shipped.read(question, [passage])[0].answerable) < 0.5
