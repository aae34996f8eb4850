"""Files with damage: made by rule from sound ones of every format, and read as the product reads a folder.

Run as a module it is the process that reads: `python -m tests.mutating FOLDER …`, one line of JSON for each folder.
"""

import io
import json
import random
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from docx import Document as new_docx
from fpdf import FPDF

from corpus.loaders import load_corpus

FORMATS = ("html", "pdf", "docx", "csv", "jsonl", "yaml", "md", "txt")
TOGETHER = ("html", "pdf", "docx", "csv", "md", "txt")
"""Formats of one document a file: many are read in one go, by one process apart, as in any corpus folder."""
_SEEDS = 4
_PLACES = ("Hanoi", "Huế", "Đà Nẵng", "Cần Thơ", "Sa Pa", "Thái Nguyên", "Moc Chau", "Vinh")
_THINGS = ("data centers", "GPU hours", "students of AI", "laws", "millimetres of rain", "models", "chips", "grants")


def sentences(seed: int, count: int) -> list[str]:
    """Return sentences, the same for every seed."""
    chosen = random.Random(seed)
    return [
        f"{chosen.choice(_PLACES)} counted {chosen.randrange(2, 9999):,} {chosen.choice(_THINGS)} in {chosen.randrange(1990, 2032)}."
        for _ in range(count)
    ]


@cache
def sound(suffix: str, seed: int) -> bytes:
    """Return a sound file of a format, each seed another."""
    lines = sentences(seed, 12)
    if suffix == "html":
        rows = "".join(f"<tr><td>{n}</td><td>{line}</td></tr>" for n, line in enumerate(lines[:3]))
        style = "<style>.a{display:none} p{color:#222;font-size:16px}</style>" if seed % 2 else ""
        body = "".join(f"<p style='color:#{n}{n}{n}'>{line} <b>So it is.</b></p>" for n, line in enumerate(lines[:9]))
        return f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>Report {seed}</title>{style}</head><body><nav>Menu</nav><article><h1>Report</h1>{body}<table>{rows}</table></article></body></html>".encode()
    if suffix == "pdf":
        made = FPDF()
        made.set_compression(seed % 2 == 0)
        made.set_title(f"Report {seed}")
        made.set_creation_date(datetime(2031, 1, 1, tzinfo=UTC))
        for page in range(2):
            made.add_page()
            made.set_font("Helvetica", size=11)
            made.multi_cell(
                0, text="\n".join(lines[page * 6 : page * 6 + 6]).encode("latin-1", "replace").decode("latin-1")
            )
        return bytes(made.output())
    if suffix == "docx":
        word, stream = new_docx(), io.BytesIO()
        word.add_heading("Report", 1)
        for line in lines:
            word.add_paragraph(line, style="List Bullet" if seed % 2 else None)
        word.add_table(2, 2).cell(0, 0).text = lines[0]
        word.save(stream)
        return _packed(stream.getvalue(), {})
    text = {
        "csv": "Place,Said\n" + "".join(f'{n},"{line}"\n' for n, line in enumerate(lines)),
        "jsonl": "".join(json.dumps({"id": f"r{n}", "title": "T", "text": x}, ensure_ascii=seed % 2 > 0) + "\n" for n, x in enumerate(lines)),
        "yaml": "".join(f"- id: f{n}\n  claim: {json.dumps(x)}\n  value: {n}\n  source: {{publisher: P, url: 'https://e.org', date: 2025-09-26}}\n" for n, x in enumerate(lines)),
        "md": "---\ntitle: Report\ndate: 2025-09-26\n---\n# Report\n\n" + "\n\n".join(lines[:6]) + "\n\n" + "\n".join(f"- {x}" for x in lines[6:]),
        "txt": "\n\n".join(lines),
    }  # fmt: skip
    return text[suffix].encode("utf-16" if suffix == "txt" and seed == 3 else "utf-8")


def mutants(suffix: str, count: int) -> Iterator[bytes]:
    """Yield damaged files of a format: bytes flipped, cut, repeated or swapped, one to four times. Always the same ones."""
    for number in range(count):
        chosen = random.Random(f"{suffix} {number}")
        data = sound(suffix, number % _SEEDS)
        if suffix == "docx" and chosen.random() < 0.6:
            yield _repacked(data, chosen)  # in a packed file most damage would only spoil a checksum
            continue
        for _ in range(chosen.choice((1, 1, 1, 2, 4))):
            data = _damaged(data, chosen)
        yield data


def _damaged(data: bytes, chosen: random.Random) -> bytes:
    if len(data) < 4:
        return data
    a, b, c, d = sorted(chosen.randrange(len(data)) for _ in range(4))
    kind = chosen.choice(("flip", "flip", "flip", "cut", "end", "repeat", "swap"))
    if kind == "flip":
        flipped = bytearray(data)
        for _ in range(chosen.choice((1, 3, 10))):
            flipped[chosen.randrange(len(data))] = chosen.randrange(256)
        return bytes(flipped)
    if kind == "cut":
        return data[:a] + data[b:]
    if kind == "end":
        return data[: chosen.randrange(len(data))]
    if kind == "repeat":
        return data[:b] + data[a:b][:5000] * chosen.choice((1, 2, 40)) + data[b:]
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _repacked(data: bytes, chosen: random.Random) -> bytes:
    """Damage one part of a packed file, and pack it again."""
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    hit = "word/document.xml" if chosen.random() < 0.6 else chosen.choice(names)
    return _packed(data, {hit: _damaged(zipfile.ZipFile(io.BytesIO(data)).read(hit), chosen)})


def _packed(data: bytes, changed: dict[str, bytes]) -> bytes:
    """Pack a packed file again, with some of its parts changed and all of one date."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(stream, "w") as made:
        for name in packed.namelist():
            part = changed[name] if name in changed else packed.read(name)
            made.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def written(folder: Path, suffix: str, count: int) -> list[Path]:
    """Write damaged files of a format; return the folders to read: one of all files, or one for each."""
    folders: list[Path] = []
    for number, data in enumerate(mutants(suffix, count)):
        inner = folder / (suffix if suffix in TOGETHER else f"{suffix}-{number:05}")
        inner.mkdir(parents=True, exist_ok=True)
        (inner / f"{suffix}-{number:05}.{suffix}").write_bytes(data)
        if inner not in folders[-1:]:
            folders.append(inner)
    return folders


def read(folders: list[Path]) -> tuple[int, str, list[dict[str, Any]]]:
    """Read folders in a process of their own; return its exit status, what it said on standard error, and its lines."""
    command = [sys.executable, "-m", "tests.mutating", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).resolve().parent.parent)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, done.stderr.decode("utf-8", "replace"), rows


def main() -> None:
    for name in sys.argv[1:]:
        started = time.perf_counter()
        documents, refused = load_corpus(Path(name))
        files = {path.name for path in Path(name).iterdir()}
        named = {r.path for r in refused} | {f"{d.id}.{Path(name).name}" for d in documents}
        # A file of rows is accounted for by any of its rows.
        missing = sorted(files - named) if len(files) > 1 else [] if documents or refused else sorted(files)
        row = {
            "files": len(files), "read": len(files & {f"{d.id}.{Path(name).name}" for d in documents}) if len(files) > 1 else int(bool(documents)),
            "missing": missing, "no reason": [r.path for r in refused if not r.reason.strip() or "\n" in r.reason],
            "reasons": [r.reason for r in refused], "seconds": time.perf_counter() - started,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
            "megabytes_apart": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000,
        }  # fmt: skip
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
