"""Documents of one's own: `gapbot add | remove | documents`, and the watch that keeps an index up with its folder."""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bot.config import Settings
from bot.opening import open_chain, print_json
from corpus.added import AddedDocuments
from corpus.errors import CorpusError, GapbotError, IndexMissing
from corpus.loaders import corpus_files

_SECONDS = 2.0
_PAGE = 1000


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to the parser; each sets `run` to a function that returns its exit status."""
    add = commands.add_parser("add", help="add documents: files, folders, patterns, web addresses")
    add.add_argument("sources", nargs="+", metavar="PATH_OR_URL")
    add.add_argument("--json", action="store_true")
    add.set_defaults(run=_add)

    remove = commands.add_parser("remove", help="take added documents out again")
    remove.add_argument("ids", nargs="+", metavar="ID")
    remove.set_defaults(run=_remove)

    documents = commands.add_parser("documents", help="list the documents of the index")
    documents.add_argument("--json", action="store_true", help="one JSON object a document")
    documents.set_defaults(run=_documents)


def _add(config: Settings, options: argparse.Namespace) -> int:
    from bot.render import build_index, print_summary

    print("Reading…", file=sys.stderr, flush=True)
    done = AddedDocuments(config.added).add(options.sources)
    changed = bool(done.added or done.replaced)
    summary = build_index(config) if changed or not _indexed(config) else None
    if options.json:
        kinds = ("added", "replaced", "known", "refused")
        print_json({k: [asdict(x) for x in getattr(done, k)] for k in kinds})
        return 0 if changed or done.known else 1
    for word, entries in (("added", done.added), ("replaced", done.replaced), ("already there:", done.known)):
        for entry in entries:
            print(f"{word} {entry.name} ({entry.origin})")
    for refusal in done.refused:
        print(f"refused {refusal.path}: {refusal.reason}")
    if summary:
        print_summary(summary)
    return 0 if changed or done.known else 1


def _indexed(config: Settings) -> bool:
    from index import generations

    try:
        if config.server:
            config.server.bring(config.index)
        generations.live_generation(config.index)
    except IndexMissing:
        return False
    return True


def _remove(config: Settings, options: argparse.Namespace) -> int:
    from bot.render import build_index, print_summary

    unknown: list[str] = []
    gone = AddedDocuments(config.added).remove(options.ids, unknown)
    for entry in gone:
        print(f"removed {entry.name}")
    if gone:
        print_summary(build_index(config))
    if unknown:
        names = ", ".join(map(repr, unknown))
        told = f"no added document is called {names}: `gapbot documents` lists them; those of the corpus itself stay"
        raise CorpusError(told)
    return 0


def _documents(config: Settings, options: argparse.Namespace) -> int:
    catalogue = open_chain(config).index.catalogue
    total = catalogue.count()
    rows = [row for skip in range(0, total, _PAGE) for row in catalogue.listing(_PAGE, skip)]
    if options.json:
        origins = {a.name: a.origin for a in AddedDocuments(config.added).entries()}
        for row in rows:
            print_json({**asdict(row), "added": bool(row.added), "origin": origins.get(row.added or "")})
        return 0
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "title", "publisher", "date", "added", box=None, pad_edge=False)
    for row in rows:
        cells = (row.id, row.title, row.publisher or "", row.date or "", "yes" if row.added else "")
        table.add_row(*map(Text, cells))
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
    print(f"{total} documents, {sum(bool(row.added) for row in rows)} of them added.", file=sys.stderr)
    return 0


def watch(config: Settings, update: Callable[[], None]) -> None:
    """Call `update` whenever a file of the corpus, or an added one, has come, gone or changed; until interrupted.

    A folder is looked at every two seconds: that works on every file system, on those of a network too.
    """
    print(f"Watching {config.corpus} (Ctrl+C stops it)", file=sys.stderr, flush=True)
    seen = _state(config)
    while True:
        time.sleep(_SECONDS)
        now = _state(config)
        if now == seen:
            continue
        seen = now
        try:
            update()
        except GapbotError as error:
            print(f"gapbot: {error}; the index stays as it was", file=sys.stderr, flush=True)


def _state(config: Settings) -> dict[str, tuple[int, int]]:
    """Return the time of change and the size of every file."""
    state: dict[str, tuple[int, int]] = {}
    for root in (config.corpus, config.added):
        for file in corpus_files(root) if root.is_dir() else ():
            try:
                status = file.stat()
            except OSError:
                continue  # it went away meanwhile
            state[str(file)] = (status.st_mtime_ns, status.st_size)
    return state
