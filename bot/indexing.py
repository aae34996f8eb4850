"""Bring the index that the settings name up to date, wherever it lies."""

from contextlib import suppress
from typing import TYPE_CHECKING

from bot.config import Settings
from corpus.added import AddedDocuments
from index import generations
from index.build import Summary, sync
from index.ingest import Progress

if TYPE_CHECKING:
    from index.cluster import Cluster
    from index.retriever import Index

_FOLLOWED = "added.version"
"""The file in the folder of an index that says which version of the added documents it was brought up to date with, and
in its second line which generation did so."""


def update_index(
    config: Settings, progress: Progress, *, rebuild: bool = False, cluster: "Cluster | None" = None
) -> Summary:
    """Sync the index with the corpus and the added documents, in the home or on the Chroma server. Raises as `sync` does."""
    # Read before the documents are: what changes meanwhile makes another version, which is not followed yet.
    version = AddedDocuments(config.added).settled_version()
    summary = sync(
        config.index, config.corpus, config.encoders, config.encoder, added=config.added, rebuild=rebuild,
        progress=progress, place=config.server or generations, cluster=cluster,
    )  # fmt: skip
    if version is not None:
        with suppress(OSError):  # then the next start compares everything, and finds nothing changed
            (config.index / _FOLLOWED).write_text(f"{version}\n{summary.generation.name}", encoding="utf-8")
    return summary


def is_behind(config: Settings, index: "Index") -> bool:
    """Tell whether the opened index may hold less, or more, than the documents that it was last brought up to date with.

    So it is where added documents have changed since, for a run was broken off; and where a former generation answers or
    is published in place of a damaged one, for that may hold what was removed. No document is read for it, and no time
    compared: clocks, and the server's, say little of what a run has seen.
    """
    if not config.chroma and index.stands_in:
        return True
    if not config.added.is_dir():
        return False
    try:
        followed, _, generation = (config.index / _FOLLOWED).read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        # It never followed, or was built before this was written down. On a server it may be another machine's, with
        # documents that were added there: to follow now would take those out.
        return not config.chroma
    if not config.chroma and generation and generation != generations.live_name(config.index):
        return True
    return followed != AddedDocuments(config.added).version()
