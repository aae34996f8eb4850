"""Bulk work on a Ray cluster: files are read, split and encoded by its workers, in order, with Ray Data.

Files and the encoder travel with the work: the other machines need gapbot with the same extra, and none of its folders.
What a worker that dies had in hand is done again by another.
"""

import json
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from corpus.documents import Document
from corpus.errors import GapbotError, UsageError
from corpus.loaders import Read, Refusal, read_file
from corpus.passages import Passage, split_document
from corpus.sandbox import Sandbox
from corpus.spool import Spool
from index.encoder import Encoder, PassageVectors
from index.ingest import Prepare, Prepared, passage_text

LOCAL = "local"
"""The address that means: start workers on this machine, one for each core, for this run alone."""
_SEGMENT = 64_000_000
"""Bytes that are handed to the cluster at a time: so much waits in its memory, whatever the size of the corpus."""
_BATCH = 16
_SECONDS = 5

T = TypeVar("T")


class Cluster:
    """A Ray cluster that this process is connected to."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    @property
    def read(self) -> Read:
        """What reads files on the cluster, in place of `read_here`."""

        def read(spool: Spool, files: Iterator[tuple[str, bytes]]) -> Iterator[list[Refusal]]:
            for segment in _segments(files, lambda file: len(file[1])):
                rows = [{"name": name, "data": data} for name, data in segment]
                for row in self._map(rows, _Reading, {}):
                    spool.add(row["rows"])
                    yield [Refusal(**refusal) for refusal in json.loads(row["refused"])]

        return read

    def prepare(self, encoder_folder: Path) -> Prepare:
        """Return what splits and encodes documents on the cluster, in place of `split_here`."""
        files = {p.name: p.read_bytes() for p in encoder_folder.iterdir() if p.is_file()}
        encoder = self._ray.put(files)

        def prepare(documents: Iterable[Document]) -> Iterator[Prepared]:
            for segment in _segments(iter(documents), lambda document: len(document.text)):
                rows = [{"document": document.to_json()} for document in segment]
                done = self._map(rows, _Encoding, {"encoder": encoder})
                for document, row in zip(segment, done, strict=True):
                    yield _prepared(document, row)

        return prepare

    def _map(self, rows: list[dict[str, Any]], worker: type, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield what workers make of rows, in their order."""
        data = self._ray.data
        batches = -(-len(rows) // _BATCH)
        workers = max(1, min(int(self._ray.cluster_resources().get("CPU", 1)), batches))
        with _translated(self._ray):
            dataset = data.from_items(rows, override_num_blocks=batches).map_batches(
                worker,
                fn_constructor_kwargs=arguments,
                batch_size=_BATCH,
                batch_format="pyarrow",
                compute=data.ActorPoolStrategy(size=workers),
                num_cpus=1,
            )
            yield from dataset.iter_rows()


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connect to the Ray cluster at an address (`LOCAL`, "auto", "host:6379" or "ray://host:10001").

    Raises UsageError where Ray is not installed, nothing answers, or the cluster refuses.
    """
    # Ray reports its use to its maker unless told not to; gapbot reports nothing to anyone.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if address == LOCAL:
        # So Ray's own processes listen on loopback alone, which on Linux they would not.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        # And take orders from nobody else on this machine.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError('--ray needs Ray, which is not installed: pip install "gapbot[ray]"') from error
    _look(address)
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        options: dict[str, Any] = {"include_dashboard": False} if address == LOCAL else {}
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except Exception as error:
        # It was there a moment ago, but another release, or in want of its token.
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"the Ray cluster at {address} does not take this process ({said}): it needs the same release of Ray here, "
            "and RAY_AUTH_MODE=token with RAY_AUTH_TOKEN where the cluster asks for a token"
        ) from error
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        yield Cluster(ray)
    finally:
        ray.shutdown()


def _look(address: str) -> None:
    """See that something answers: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address in (LOCAL, "auto"):
        return
    if not host or not port.isdigit():
        raise UsageError(f"--ray takes {LOCAL}, auto, HOST:PORT or ray://HOST:PORT, not {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address) from error


def _unreachable(address: str) -> UsageError:
    return UsageError(f"no Ray cluster answers at {address}: start one with `ray start --head`, or use --ray {LOCAL}")


@contextmanager
def _translated(ray: Any) -> Iterator[None]:
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, GapbotError):
            raise cause from None
        said = str(cause or error).strip().splitlines()[-1]
        raise GapbotError(f"the Ray cluster could not do it ({said}): the index is as it was") from error


def _segments(items: Iterator[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Gather items up to some size.

    >>> list(_segments(iter([30_000_000, 40_000_000, 5]), lambda n: n))
    [[30000000, 40000000], [5]]
    """
    held: list[T] = []
    total = 0
    for item in items:
        held.append(item)
        total += size(item) + 1000
        if total >= _SEGMENT:
            yield held
            held, total = [], 0
    if held:
        yield held


class _Reading:
    """A worker that reads files."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()

    def __call__(self, batch: Any) -> Any:
        done = []
        for row in batch.to_pylist():
            with Spool() as spool:
                refused = read_file(spool, row["name"], row["data"], self._sandbox)
                done.append({"rows": spool.rows(), "refused": json.dumps([asdict(r) for r in refused])})
        return type(batch).from_pylist(done)


class _Encoding:
    """A worker that splits documents and encodes their passages."""

    def __init__(self, encoder: Any) -> None:
        import ray

        # The loaded model keeps parts of its files open.
        self._folder = tempfile.TemporaryDirectory(prefix="gapbot-")
        for name, data in ray.get(encoder).items():
            Path(self._folder.name, name).write_bytes(data)
        self._encoder = Encoder(Path(self._folder.name))

    def __call__(self, batch: Any) -> Any:
        documents = [Document.from_json(row["document"]) for row in batch.to_pylist()]
        split = [split_document(d) for d in documents]
        texts = [passage_text(d, p) for d, passages in zip(documents, split, strict=True) for p in passages]
        vectors = iter(self._encoder.encode_passages(texts))
        done = []
        for passages in split:
            own = [next(vectors) for _ in passages]
            data = b"".join(v.passage.tobytes() + v.sentences.tobytes() for v in own)
            done.append({"passages": json.dumps([asdict(p) for p in passages]), "vectors": data})
        return type(batch).from_pylist(done)


def _prepared(document: Document, row: dict[str, Any]) -> Prepared:
    """Make a document's passages and vectors of what `_Encoding` gives: each passage's vector, and its sentences'."""
    passages = [
        Passage(**{**p, "headings": tuple(p["headings"]), "sentences": tuple((a, b) for a, b in p["sentences"])})
        for p in json.loads(row["passages"])
    ]
    total = sum(1 + len(p.sentences) for p in passages)
    rows = np.frombuffer(row["vectors"], np.float32).reshape(total, -1) if total else np.zeros((0, 0), np.float32)
    vectors, at = [], 0
    for p in passages:
        end = at + 1 + len(p.sentences)
        vectors.append(PassageVectors(rows[at], rows[at + 1 : end]))
        at = end
    return Prepared(document, passages, vectors)
