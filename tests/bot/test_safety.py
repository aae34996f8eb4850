"""Doctor, export and import as commands."""

import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.bot.test_cli import run


@pytest.fixture
def home(shipped_home: Path, tmp_path: Path) -> Path:
    made = tmp_path / "home"
    shutil.copytree(shipped_home / "indexes", made / "indexes")
    (made / "encoders").symlink_to((shipped_home / "encoders").resolve(), target_is_directory=True)
    return made


def test_the_doctor_repairs_what_it_finds(home: Path) -> None:
    assert json.loads(run("doctor", "--json", home=home).stdout)["sound"] is True
    index = home / "indexes" / "shipped"
    (index / (index / "current").read_text() / "words" / "vocabulary.json").unlink()
    sick = run("doctor", home=home)
    assert sick.returncode == 1
    assert "vocabulary.json is missing" in sick.stdout
    assert "--repair" in sick.stdout
    mended = run("doctor", "--repair", home=home)
    assert mended.returncode == 0
    assert "The index is sound." in mended.stdout
    assert run("ask", "How many data centers does Viettel operate?", home=home).returncode == 0


def test_what_was_exported_is_taken_over_by_another_home(home: Path, shipped_home: Path, tmp_path: Path) -> None:
    note, archive = tmp_path / "note.txt", tmp_path / "saved.tar.gz"
    note.write_text("The ferry to Lan Ha leaves at 06:40.", encoding="utf-8")
    assert run("add", str(note), home=home).returncode == 0
    assert run("export", str(archive), home=home).returncode == 0
    other = tmp_path / "other"
    (other).mkdir()
    (other / "encoders").symlink_to((shipped_home / "encoders").resolve(), target_is_directory=True)
    assert run("import", str(archive), home=other).returncode == 0
    answer = json.loads(run("ask", "When does the ferry to Lan Ha leave?", "--json", home=other).stdout)
    assert "06:40" in answer["text"]
    assert '"origin"' in run("documents", "--json", home=other).stdout
    assert json.loads(run("doctor", "--json", home=other).stdout)["sound"] is True


@pytest.fixture(scope="module")
def saved(shipped_home: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    archive = tmp_path_factory.mktemp("saved") / "saved.tar.gz"
    assert run("export", str(archive), home=shipped_home).returncode == 0
    return archive.read_bytes()


@pytest.mark.parametrize("damage", ["cut", "flipped", "escape", "link", "other"])
def test_an_archive_that_is_not_what_was_saved_changes_nothing(
    home: Path, saved: bytes, tmp_path: Path, damage: str
) -> None:
    archive = tmp_path / "saved.tar.gz"
    data = bytearray(saved)
    if damage == "cut":
        archive.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[len(data) // 2] ^= 255
        archive.write_bytes(data)
    else:
        with tarfile.open(archive, "w:gz") as made:
            entry = tarfile.TarInfo("../outside.txt" if damage == "escape" else "index/x")
            entry.size = 1
            if damage == "link":
                entry.type, entry.linkname, entry.size = tarfile.SYMTYPE, "/etc/passwd", 0
            made.addfile(entry, io.BytesIO(b"x") if entry.size else None)
    before = (home / "indexes" / "shipped" / "current").read_text()
    done = run("import", str(archive), home=home)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert (home / "indexes" / "shipped" / "current").read_text() == before
    assert not (tmp_path / "outside.txt").exists()


def test_an_archive_that_is_not_there_is_wrong_usage(home: Path, tmp_path: Path) -> None:
    assert run("import", str(tmp_path / "none.tar.gz"), home=home).returncode == 2
