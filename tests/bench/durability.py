"""What an index goes through without loss, at length: `python -m tests.bench.durability [--kills 200] …`; one line of JSON.

The trials are those of tests/index/test_generations.py. Every one raises an error at the first loss; so that this is no
idle promise, one of them is also tried on an index that is written in place, which is expected to lose.
"""

import argparse
import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bot.config import settings
from corpus.errors import GapbotError
from index import generations, seal
from index.encoder import Encoder, ensure_exported
from index.export import BUNDLED
from tests import confined, faulty, swapping, writing


def in_place(folder: Path, encoder_folder: Path, times: int) -> int:
    """Break off the publishing of a generation, `times` times, where the live one is overwritten: returns how often it is lost."""
    index, generation = writing.prepared(folder, encoder_folder)
    live, building = index / (generations.live_name(index) or ""), index / f"building-{generation.name}"
    files = sorted(p.relative_to(building) for p in building.rglob("*") if p.is_file())
    lost = 0
    for n in range(times):
        with tempfile.TemporaryDirectory() as temporary:
            copy = Path(temporary) / "index"
            subprocess.run(["cp", "-r", str(index), str(copy)], check=True)
            for name in files[: 1 + n * len(files) // times]:
                target = copy / live.name / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((building / name).read_bytes())
            damage = None
            with contextlib.suppress(GapbotError):
                damage = seal.broken(copy / live.name, thorough=True)
            lost += damage is not None
    return lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", help="a home whose exported encoder is used")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument(
        "--fault-step", type=int, default=1, help="let every N-th write of an indexing fail (default 1: each)"
    )
    parser.add_argument("--disks", type=int, default=10)
    parser.add_argument("--races", type=int, default=20)
    parser.add_argument("--swaps", type=int, default=20)
    options = parser.parse_args()
    encoder_folder = ensure_exported(settings(options.home).encoders, BUNDLED)
    row: dict[str, Any] = {}

    def trial(name: str) -> Path:
        print(f"{time.strftime('%H:%M:%S')} {name}…", file=sys.stderr, flush=True)
        folder = Path(temporary) / name
        folder.mkdir()
        return folder

    with tempfile.TemporaryDirectory() as temporary:
        folder, encoder = trial("faults"), Encoder(encoder_folder)
        index, generation = writing.prepared(folder, encoder_folder)
        failed = itertools.takewhile(
            lambda at: writing.failing(folder, index, generation, encoder, at), itertools.count(1)
        )
        row["faults"] = len(list(failed))
        row["faults_of_indexing"] = faulty.run(trial("faults-of-indexing"), encoder_folder, options.fault_step)
        row["lost_if_written_in_place_of_20"] = in_place(trial("in-place"), encoder_folder, 20)
        row["disks"] = confined.run("full", trial("disks"), encoder_folder, options.disks)
        row["read_only"] = confined.run("read-only", trial("read-only"), encoder_folder)
        row["races"] = {
            "count": options.races,
            "told_after_s": round(writing.set_against_each_other(trial("races"), encoder_folder, options.races), 2),
        }
        row["swaps"] = swapping.swapped(trial("swaps"), encoder_folder, options.swaps)
        row["kills"] = {"count": options.kills} | writing.killed(trial("kills"), encoder_folder, options.kills)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
