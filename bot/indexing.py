"""Bring the index that the settings name up to date, wherever it lies."""

from typing import TYPE_CHECKING

from bot.config import Settings
from index import generations
from index.build import Summary, sync
from index.ingest import Progress

if TYPE_CHECKING:
    from index.cluster import Cluster


def update_index(
    config: Settings, progress: Progress, *, rebuild: bool = False, cluster: "Cluster | None" = None
) -> Summary:
    """Sync the index with the corpus and the added documents, in the home or on the Chroma server. Raises as `sync` does."""
    return sync(
        config.index, config.corpus, config.encoders, config.encoder, added=config.added, rebuild=rebuild,
        progress=progress, place=config.server or generations, cluster=cluster,
    )  # fmt: skip
