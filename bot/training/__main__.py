"""Train the reader: `python -m bot.training --work FOLDER [--public ../shared/bench]`.

Goes on from the last checkpoint in FOLDER. Areas named by --left-out are kept for measuring. Every run appends a
line to runs.jsonl: its configuration, the counts of its data and what it measured.
"""

import argparse
import json
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from tokenizers import Tokenizer
from transformers import AutoModel

from bot.training.data import LEFT_OUT, Example, epoch, load
from bot.training.evaluate import evaluate
from bot.training.export import restored
from bot.training.model import Reader, batch, encode, loss
from bot.training.negatives import mine
from index.export import BUNDLED, model_folder

RUNS = Path(__file__).parent / "runs.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--public", type=Path, help="folder of the public sets")
    parser.add_argument("--left-out", nargs="*", default=LEFT_OUT, help="areas that are measured and not trained on")
    parser.add_argument(
        "--more", nargs="*", default=(), help="areas taken twice in every epoch: new to what one begins with"
    )
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-4, help="highest learning rate")
    parser.add_argument(
        "--adapters", type=int, default=0, metavar="RANK", help="train low-rank adapters of this rank, not all weights"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--begin", type=Path, help="weights of an earlier run, or an exported reader, to begin with")
    parser.add_argument(
        "--average",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="share of the trained weights beside those begun with",
    )
    parser.add_argument("--note", default="", help="what the run tries, for the log")
    options = parser.parse_args()
    if options.adapters and options.average < 1:
        parser.error("adapters are not averaged: leave --average out")
    options.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    train(options)


def train(options: argparse.Namespace) -> None:
    """Train to the end, saving a checkpoint every 100 steps, then measure and log."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    folder = model_folder(BUNDLED)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # Processors without instructions for it compute with half precision ten times slower.
    half = device == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    transformer = AutoModel.from_pretrained(folder)
    # Every user has the word embeddings already: they stay as they are, and need not be shipped.
    transformer.embeddings.word_embeddings.weight.requires_grad = False
    model = Reader(transformer, transformer.config.hidden_size).to(device)
    if options.begin:
        exported = options.begin.suffix == ".onnx"
        model.load_state_dict(
            restored(options.begin, model) if exported else torch.load(options.begin, map_location=device)
        )
    if options.adapters:
        model.transformer = adapted(model.transformer, options.adapters).to(device)
    begun = {k: v.clone() for k, v in model.state_dict().items()} if options.average < 1 else {}
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=options.rate, weight_decay=0.01)
    warm = max(1, options.steps // 16)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min(1.0, (s + 1) / warm) * max(0.0, 1 - s / options.steps)
    )
    step, round_, place = 0, 0, 0
    checkpoint = options.work / "checkpoint.pt"
    if checkpoint.is_file():
        kept: dict[str, Any] = torch.load(checkpoint, map_location=device)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        step, round_, place = kept["step"], kept["round"], kept.get("place", 0)
    examples = load(options.public)
    held = [e for e in examples if e.area in options.left_out]
    asked = mine([e for e in examples if e.area not in options.left_out], options.work / "negatives.json")
    counts = Counter(a.example.area for a in asked)
    asked += [a for a in asked if a.example.area in options.more]
    started, losses = time.monotonic(), []
    with Progress() as progress:
        task = progress.add_task("training", total=options.steps, completed=step)
        while step < options.steps:
            batches = _batches(epoch(asked, options.seed + round_), options.batch, options.seed + round_)
            # What goes on from a checkpoint takes up its epoch where it was left.
            for rows in batches[place:]:
                if step >= options.steps:
                    break
                model.train()
                data = {k: v.to(device) for k, v in batch(rows, encode(tokenizer, rows)).items()}
                with torch.autocast(device, torch.bfloat16, enabled=half):
                    value = loss(model, data)
                optimizer.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                schedule.step()
                step, place = step + 1, place + 1
                losses.append(float(value))
                progress.update(task, completed=step, description=f"loss {sum(losses[-100:]) / len(losses[-100:]):.3f}")
                if step % 100 == 0:
                    _save(checkpoint, model, optimizer, schedule, step, round_, place)
                    print(
                        json.dumps(
                            {
                                "step": step,
                                "loss": round(sum(losses[-100:]) / 100, 4),
                                "seconds": round(time.monotonic() - started),
                            }
                        ),
                        flush=True,
                    )
                if step % 800 == 0 and held:
                    print(json.dumps({"step": step, **_measures(model, tokenizer, held)}), flush=True)
            round_, place = round_ + 1, 0
    trained = sum(p.numel() for p in parameters)
    if options.adapters:
        # Merged, the weights are those of the plain reader, and are exported and begun with as those are.
        model.transformer = model.transformer.merge_and_unload()  # type: ignore[operator]
    if begun:
        # Weights of runs that share a beginning can be averaged, and the mean does better (Wortsman et al. 2022).
        mean = {k: torch.lerp(begun[k], v, options.average) for k, v in model.state_dict().items()}
        model.load_state_dict(mean)
    torch.save(model.state_dict(), options.work / "reader.pt")
    run = {
        "note": options.note, "date": time.strftime("%Y-%m-%d"), "steps": options.steps, "batch": options.batch, "rate": options.rate, "seed": options.seed, "begun with": str(options.begin or ""), "adapters": options.adapters, "average": options.average, "trained": trained,
        "device": device, "left out": options.left_out, "taken twice": options.more, "questions": dict(counts), "loss": round(sum(losses[-100:]) / max(1, len(losses[-100:])), 4),
        "minutes": round((time.monotonic() - started) / 60), "measures": _measures(model, tokenizer, held),
    }  # fmt: skip
    with RUNS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(run) + "\n")
    print(json.dumps(run))


def adapted(transformer: Any, rank: int) -> Any:
    """Return a transformer whose own weights stay, with low-rank adapters beside every linear layer (Hu et al. 2021)."""
    from peft import LoraConfig, get_peft_model

    layers = ["query", "key", "value", "dense"]
    return get_peft_model(
        transformer, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=layers, lora_dropout=0.05)
    )


def _measures(model: Reader, tokenizer: Tokenizer, held: list[Example]) -> dict[str, Any]:
    areas = sorted({e.area for e in held})
    return {area: evaluate(model, tokenizer, [e for e in held if e.area == area]) for area in areas}


def _batches(examples: list[Example], size: int, seed: int) -> list[list[Example]]:
    """Put examples of like length into one batch, so that little is padded, and shuffle the batches."""
    chunk = size * 32
    batches = []
    for at in range(0, len(examples), chunk):
        near = sorted(examples[at : at + chunk], key=lambda e: len(e.text))
        batches += [near[i : i + size] for i in range(0, len(near), size)]
    random.Random(seed).shuffle(batches)
    return batches


def _save(path: Path, model: Any, optimizer: Any, schedule: Any, step: int, round_: int, place: int) -> None:
    state = {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
        "step": step, "round": round_, "place": place,
    }  # fmt: skip
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


if __name__ == "__main__":
    main()
