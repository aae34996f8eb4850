"""Documents that are added to a corpus: copies that replace, repeat and go."""

import itertools
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from filelock import FileLock

from corpus import sources as module
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


def test_what_is_known_is_removed_and_what_is_not_is_named(store: AddedDocuments, tmp_path: Path) -> None:
    store.add([note(tmp_path, "a.txt", "One."), note(tmp_path, "b.txt", "Two."), note(tmp_path, "c.txt", "Three.")])
    unknown: list[str] = []
    assert [a.name for a in store.remove(["a", "x", "a.txt", "c"], unknown)] == ["a.txt", "c.txt"]
    assert unknown == ["x"]
    assert [a.name for a in store.entries()] == ["b.txt"]


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_an_empty_name_does_not_add_the_working_folder(
    store: AddedDocuments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    good = note(tmp_path, "docs/good.txt", "Good.")
    note(tmp_path, "private/diary.txt", "Private.")
    monkeypatch.chdir(tmp_path)
    done = store.add([blank, good])
    assert [a.name for a in done.added] == ["good.txt"]
    assert [r.reason for r in done.refused] == ["an empty name is no file, folder or address"]


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


def rows_of(store: AddedDocuments, corpus: Path) -> dict[str, str]:
    corpus.mkdir(exist_ok=True)
    documents, refused = load_corpus(corpus, store.folder)
    assert refused == []
    return {d.id: d.text for d in documents}


_CHANGE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from corpus.added import AddedDocuments
left = int(sys.argv[2])
def dying(real):
    def call(*arguments, **named):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call
Path.replace, Path.unlink = dying(Path.replace), dying(Path.unlink)
getattr(AddedDocuments(Path(sys.argv[1])), sys.argv[3])(sys.argv[4:])
"""


def killed_at(step: int, store: AddedDocuments, *command: str) -> bool:
    """Change added documents in a process that is killed when it moves or removes a file the `step`-th time, from 1."""
    arguments = [sys.executable, "-c", _CHANGE_AND_DIE, str(store.folder), str(step), *command]
    done = subprocess.run(arguments, check=False, timeout=60)
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode != 0


def test_a_killed_run_has_added_a_file_whole_or_not_at_all_and_is_made_good_by_adding_again(tmp_path: Path) -> None:
    old, new = note(tmp_path, "old.txt", "First."), note(tmp_path, "new.txt", "First, too.")
    for step in itertools.count(1):
        store = AddedDocuments(tmp_path / f"home-{step}" / "added")
        note(tmp_path, "old.txt", "First.")
        store.add([old])
        version = store.version()
        note(tmp_path, "old.txt", "Second.")
        if not killed_at(step, store, "add", old, new):
            break
        left = rows_of(store, tmp_path / "corpus")
        assert left in ({"old": "First."}, {"old": "Second."}, {"old": "Second.", "new": "First, too."})
        assert left == {"old": "First."} or store.version() != version
        # A file of the same name from elsewhere takes no one's place.
        assert [a.name for a in store.upload("old.txt", b"Another.").added] == ["old-2.txt"]
        assert {a.name for a in store.entries() if not a.origin} == set()
        store.add([old, new])
        assert rows_of(store, tmp_path / "corpus") == {"old": "Second.", "new": "First, too.", "old-2": "Another."}
    assert step > 4


def test_a_killed_removal_is_one_that_no_index_has_followed(tmp_path: Path) -> None:
    for step in itertools.count(1):
        store = AddedDocuments(tmp_path / f"home-{step}" / "added")
        store.upload("a.txt", b"One.")
        version = store.version()
        killed = killed_at(step, store, "remove", "a")
        assert store.entries() or store.version() != version
        if not killed:
            break
    assert step > 2


def test_a_version_is_not_settled_while_someone_changes_files(store: AddedDocuments) -> None:
    assert store.version() == store.settled_version() == ""
    store.upload("a.txt", b"One.")
    version = store.version()
    assert store.settled_version() == version != ""
    store.upload("b.txt", b"One.")  # known
    assert store.version() == version
    with FileLock(store.folder.parent / f".{store.folder.name}.lock"):
        assert store.settled_version() is None


def test_a_file_that_something_else_put_there_gives_way_to_none(store: AddedDocuments, tmp_path: Path) -> None:
    note(store.folder, "hue.md", "By hand.")
    before = rows_of(store, tmp_path / "corpus")
    assert [a.name for a in store.upload("hue.md", b"Sent.").added] == ["hue-2.md"]
    assert [a.name for a in store.add([note(tmp_path, "hue.txt", "From a path.")]).added] == ["hue-3.txt"]
    now = rows_of(store, tmp_path / "corpus")
    assert {i: now[i] for i in before} == before == {"hue": "By hand."}
    assert [a.origin for a in store.upload("hue.md", b"By hand.").known] == ["upload:hue.md"]


def test_odd_files_in_the_folder_stop_nobody(store: AddedDocuments, tmp_path: Path) -> None:
    (store.folder / ".d.new").mkdir(parents=True)
    (store.folder / "b.txt").mkdir()
    (Path(os.fsdecode(os.fsencode(store.folder) + b"/\xff.txt"))).write_text("Odd.")
    note(store.folder, "esc\x1b[2J.txt", "Odd.")
    assert [a.name for a in store.add([note(tmp_path, "a.txt", "One.")]).added] == ["a.txt"]
    assert [a.name for a in store.upload("b.txt", b"Two.").added] == ["b-2.txt"]
    assert [a.name for a in store.remove(["a"])] == ["a.txt"]
    assert [a.name for a in store.entries()] == ["b-2.txt"]


def test_a_file_from_a_path_that_cannot_be_decoded_is_added(store: AddedDocuments, tmp_path: Path) -> None:
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt"))
    source.write_text("Odd.")
    assert len(store.add([str(source)]).added) == 1
    assert len(store.add([str(source)]).known) == 1


def test_a_folder_that_cannot_be_written_is_told_in_one_line(store: AddedDocuments) -> None:
    store.upload("a.txt", b"One.")
    (store.folder.parent / ".shipped.added.version.new").mkdir()
    with pytest.raises(CorpusError, match="cannot be written"):
        store.upload("b.txt", b"Two.")
    assert [a.name for a in store.entries()] == ["a.txt"]


def test_an_address_keeps_its_id_whatever_it_holds_now(store: AddedDocuments, monkeypatch: pytest.MonkeyPatch) -> None:
    page = "<html><body><article><p>It rained for {} days in the hills of Moc Chau.</p></article></body></html>"
    names = []
    for kind, data in (("text/html", page.format(40)), ("text/html", page.format(41)), ("text/plain", "Rain fell.")):
        monkeypatch.setattr(module, "fetch", partial(Fetched, type=kind, data=data.encode()))
        done = store.add(["https://example.org/x"])
        names += [a.name for a in done.added + done.replaced]
    assert names == ["example.org-x.md", "example.org-x.md", "example.org-x.txt"]
    assert [p.name for p in store.folder.iterdir()] == ["example.org-x.txt"]


def test_a_file_that_is_gone_is_no_longer_listed_and_can_be_added_again(store: AddedDocuments, tmp_path: Path) -> None:
    source = note(tmp_path, "a.txt", "One.")
    store.add([source])
    (store.folder / "a.txt").unlink()
    assert store.entries() == []
    assert [a.name for a in store.add([source]).added] == ["a.txt"]


def test_what_is_added_takes_no_id_from_the_corpus_nor_from_what_was_added_before(
    store: AddedDocuments, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    note(corpus, "texts/hanoi.txt", "Hanoi of the corpus.")
    note(corpus, "rows.jsonl", '{"id": "row", "text": "A row of the corpus."}')
    before = rows_of(store, corpus)
    store.add([note(tmp_path, "in/hanoi.txt", "Hanoi, added."), note(tmp_path, "in/row.md", "A row, added.")])
    store.add([note(tmp_path, "in/hue.txt", "Hue.")])
    store.add([note(tmp_path, "in/hue.md", "Hue, again.")])
    now = rows_of(store, corpus)
    assert {i: now[i] for i in before} == before == {"hanoi": "Hanoi of the corpus.", "row": "A row of the corpus."}
    assert {i: text for i, text in now.items() if i not in before} == {
        "added/hanoi.txt": "Hanoi, added.",
        "added/row.md": "A row, added.",
        "hue": "Hue.",
        "hue-2": "Hue, again.",
    }
    assert [a.name for a in store.remove(["added/hanoi.txt"])] == ["hanoi.txt"]


def test_a_row_that_was_added_gives_way_to_a_file_of_the_corpus(store: AddedDocuments, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    note(corpus, "hanoi.txt", "Hanoi of the corpus.")
    store.add([note(tmp_path, "rows.jsonl", '{"id": "hanoi", "text": "Added."}\n{"id": "other", "text": "Other."}')])
    documents, refused = load_corpus(corpus, store.folder)
    assert {d.id: d.text for d in documents} == {"hanoi": "Hanoi of the corpus.", "other": "Other."}
    assert [(r.path, r.reason) for r in refused] == [
        ("rows.jsonl, line 1", "the id 'hanoi' is taken by an earlier document")
    ]
