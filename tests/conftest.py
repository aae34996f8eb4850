"""What tests share: the shipped corpus, the real encoder, and one index over both for the whole run."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from bot.chain import Chain
from bot.config import Settings, settings
from bot.indexing import update_index
from bot.loading import load_chain
from corpus import SHIPPED_CORPUS
from corpus.added import AddedDocuments
from corpus.documents import Document
from corpus.loaders import load_corpus
from index.build import sync
from index.encoder import Encoder, ensure_exported
from index.export import BUNDLED
from tests.adding import RAIN, silent

# No test, nor a process that it starts, asks a hub for anything or finds the developer's own home.
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
for name in [n for n in os.environ if n.startswith("GAPBOT_")]:
    del os.environ[name]

# The same examples every time, and no deadline: two cores are shared with whatever else runs.
hypothesis_settings.register_profile(
    "gapbot", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("gapbot")


@pytest.fixture(scope="session")
def shipped() -> dict[str, Document]:
    """The shipped corpus by id."""
    documents, refused = load_corpus(SHIPPED_CORPUS)
    assert refused == []
    return {d.id: d for d in documents}


@pytest.fixture(scope="session")
def encoders(request: pytest.FixtureRequest) -> Path:
    """A folder of exported encoders that later runs find again, as long as the exporting code is the same."""
    assert request.config.cache is not None
    code = b"".join((SHIPPED_CORPUS.parent / "index" / name).read_bytes() for name in ("encoder.py", "export.py"))
    return Path(request.config.cache.mkdir(f"encoders-{hashlib.sha256(code).hexdigest()[:12]}"))


@pytest.fixture(scope="session")
def encoder_folder(encoders: Path) -> Path:
    """The folder of the exported default encoder. Tests that damage it copy it first."""
    return ensure_exported(encoders, BUNDLED)


@pytest.fixture(scope="session")
def encoder(encoder_folder: Path) -> Encoder:
    """The default encoder as questions use it."""
    return Encoder(encoder_folder)


@pytest.fixture(scope="session")
def shipped_settings(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Settings:
    """Settings of a home with an index over the shipped corpus."""
    home = tmp_path_factory.mktemp("home")
    (home / "encoders").symlink_to(encoder_folder.parent, target_is_directory=True)
    made = settings(home=str(home))
    sync(made.index, made.corpus, made.encoders, made.encoder)
    return made


@pytest.fixture(scope="session")
def shipped_home(shipped_settings: Settings) -> Path:
    """A home with an index over the shipped corpus, for commands. Read only."""
    return shipped_settings.home


@pytest.fixture(scope="session")
def shipped_chain(shipped_settings: Settings) -> Chain:
    """The chain over the shipped corpus."""
    return load_chain(shipped_settings)


@pytest.fixture
def apart(tmp_path: Path, encoder_folder: Path) -> Settings:
    """A corpus of one document, with an added one, in an index that holds both."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "encoders").symlink_to(encoder_folder.parent, target_is_directory=True)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "tea.md").write_text("Tea from Thai Nguyen is green.", encoding="utf-8")
    config = settings(home=str(tmp_path / "home"), corpus=str(tmp_path / "corpus"))
    AddedDocuments(config.added).upload("rain.txt", RAIN)
    update_index(config, silent)
    return config
