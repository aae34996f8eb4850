"""Documents that are added to a corpus: copies that replace, repeat and go."""

from concurrent.futures import ThreadPoolExecutor
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


def test_an_uploaded_file_is_kept_under_a_safe_name_and_replaces_the_one_sent_before(store: AddedDocuments) -> None:
    done = store.upload("../../etc/Kế hoạch <2026>?.txt", b"Rain fell.")
    assert [a.name for a in done.added] == ["Kế-hoạch-2026.txt"]
    assert [p.name for p in store.folder.iterdir()] == ["Kế-hoạch-2026.txt"]
    assert [a.name for a in store.upload("C:\\docs\\Kế hoạch <2026>?.txt", b"Snow fell.").replaced] == [
        "Kế-hoạch-2026.txt"
    ]
    assert [a.name for a in store.upload("con.txt", b"Hail.").added] == ["document-con.txt"]
    assert [a.name for a in store.upload("kế hoạch 2026.TXT", b"Sleet.").added] == ["kế-hoạch-2026-2.txt"]
    assert [a.name for a in store.upload("gapbot.yaml", b"- {id: f, claim: Rain.}").added] == ["gapbot-2.yaml"]
    assert len(store.upload("𠜎" * 200 + ".md", b"Fog.").added[0].name.encode()) < 240


def test_what_is_removed_by_its_name_takes_no_other_along(store: AddedDocuments) -> None:
    store.upload("a.txt.md", b"One.")
    store.upload("a.txt", b"Two.")
    assert [a.name for a in store.remove(["a.txt"])] == ["a.txt"]
    assert [a.name for a in store.entries()] == ["a.txt.md"]


def test_two_that_add_at_once_lose_nothing(store: AddedDocuments) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.upload(f"{n}.txt", f"Rain {n}.".encode()), range(20)))
    assert len(store.entries()) == 20


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.pdf", b"<html><p>x</p></html>", "holds a web page"), ("a.docx", b"PK\x03\x04zip", "holds a packed file"),
        ("a.txt", b"%PDF-1.7 x", "holds a PDF"), ("a.md", b"MZ\x90\0", "holds a program"),
        ("a.csv", b"\x89PNG\r\n\x1a\n", "holds an image"), ("a.html", b"Plain words.", "holds text"),
        ("a.txt", b"<!-- -->" * 300 + b"<!DOCTYPE html><p>x", "holds a web page"), ("a.jsonl", b"a\0\0b", "holds no text"),
        ("a.yaml", b"- {id: x}", "claim"), ("a.jsonl", b"{}", "id"), ("a.exe", b"MZ", "not supported"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_its_name_says_is_refused(
    store: AddedDocuments, name: str, data: bytes, reason: str
) -> None:
    done = store.upload(name, data)
    assert not done.added
    assert reason in done.refused[0].reason


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", "Rain fell.".encode("utf-16")), ("b.txt", "Rain fell.".encode("utf-16-le")), ("c.txt", b"\xef\xbb\xbfRain."),
        ("d.html", "<p>It rained in the hills of Moc Chau.</p>".encode("utf-16")), ("e.md", b"<html>\n\nRain.</html>"),
        ("f.htm", b"<!-- a --><!-- b -->\n<html><body><p>It rained in the hills.</p></body></html>"),
    ],
)  # fmt: skip
def test_a_file_that_is_what_its_name_says_is_taken(store: AddedDocuments, name: str, data: bytes) -> None:
    assert [a.name for a in store.upload(name, data).added] == [name]
