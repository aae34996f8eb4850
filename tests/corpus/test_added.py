"""Documents that are added to a corpus: copies that replace, repeat and go."""

from pathlib import Path

import pytest

from corpus import added as module
from corpus.added import AddedDocuments
from corpus.errors import CorpusError
from corpus.fetching import Fetched
from corpus.loaders import load_corpus


@pytest.fixture
def store(tmp_path: Path) -> AddedDocuments:
    return AddedDocuments(tmp_path / "home" / "added" / "shipped")


def note(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_files_folders_and_patterns_are_added(store: AddedDocuments, tmp_path: Path) -> None:
    one, _ = note(tmp_path, "one.txt", "One."), note(tmp_path, "sub/two.md", "Two.")
    note(tmp_path, "glob/three.txt", "Three.")
    done = store.add([one, str(tmp_path / "sub"), str(tmp_path / "glob" / "*.txt")])
    assert [a.name for a in done.added] == ["one.txt", "two.md", "three.txt"]
    assert done.refused == []
    (tmp_path / "corpus").mkdir()
    documents, _ = load_corpus(tmp_path / "corpus", store.folder)
    assert [d.text for d in documents] == ["One.", "Three.", "Two."]


def test_what_cannot_be_used_is_refused_and_stops_no_other(store: AddedDocuments, tmp_path: Path) -> None:
    sources = [
        str(tmp_path / "none.txt"), note(tmp_path, "a.exe", "x"), note(tmp_path, "empty.txt", ""),
        note(tmp_path, "bad.pdf", "no pdf"), str(tmp_path / "*.nothing"), note(tmp_path, "good.txt", "Good."),
    ]  # fmt: skip
    done = store.add(sources)
    assert [a.name for a in done.added] == ["good.txt"]
    assert len(done.refused) == 5
    assert all(r.reason for r in done.refused)


def test_the_same_content_under_another_name_is_known(store: AddedDocuments, tmp_path: Path) -> None:
    store.add([note(tmp_path, "a.txt", "Same.")])
    done = store.add([note(tmp_path, "b.txt", "Same.")])
    assert [a.name for a in done.known] == ["a.txt"]
    assert len(store.entries()) == 1


def test_a_changed_file_takes_the_place_of_its_copy(store: AddedDocuments, tmp_path: Path) -> None:
    source = note(tmp_path, "a.txt", "Old.")
    store.add([source])
    note(tmp_path, "a.txt", "New.")
    assert [a.name for a in store.add([source]).replaced] == ["a.txt"]
    assert (store.folder / "a.txt").read_text() == "New."


def test_files_of_one_name_from_two_places_stand_side_by_side(store: AddedDocuments, tmp_path: Path) -> None:
    done = store.add([note(tmp_path, "x/a.txt", "One."), note(tmp_path, "y/a.txt", "Two.")])
    assert [a.name for a in done.added] == ["a.txt", "a-2.txt"]


def test_a_removed_file_is_gone_and_an_unknown_name_removes_none(store: AddedDocuments, tmp_path: Path) -> None:
    store.add([note(tmp_path, "a.txt", "One."), note(tmp_path, "b.txt", "Two.")])
    with pytest.raises(CorpusError, match="gapbot documents"):
        store.remove(["a", "c"])
    assert len(store.entries()) == 2
    assert [a.name for a in store.remove(["a"])] == ["a.txt"]
    assert [p.name for p in store.folder.iterdir()] == ["b.txt"]


def test_a_web_page_is_kept_as_its_text_with_its_address(
    store: AddedDocuments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = b"<html><head><title>Rain report</title></head><body><nav>Menu</nav><article><p>It rained for forty days in the hills.</p></article></body></html>"
    monkeypatch.setattr(module, "fetch", lambda url: Fetched(url, "text/html", page))
    done = store.add(["https://example.org/rain/report.html"])
    assert [a.name for a in done.added] == ["example.org-rain-report.html.md"]
    (tmp_path / "corpus").mkdir()
    (document,), _ = load_corpus(tmp_path / "corpus", store.folder)
    assert document.title == "Rain report"
    assert document.url == "https://example.org/rain/report.html"
    assert "forty days" in document.text
    assert "Menu" not in document.text


def test_a_damaged_list_is_told(store: AddedDocuments, tmp_path: Path) -> None:
    store.add([note(tmp_path, "a.txt", "One.")])
    (store.folder.parent / "shipped.added.json").write_text("{")
    with pytest.raises(CorpusError, match="cannot be read"):
        store.entries()
