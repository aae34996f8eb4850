"""The process apart in which files of intricate formats are read."""

import zlib
from pathlib import Path

import pytest

from corpus.errors import RefusedDocument
from corpus.sandbox import Sandbox

PAGE = "<html><head><title>Rain</title></head><body><article><p>It rained for forty days in the hills of Moc Chau.</p></article></body></html>"


def bomb() -> bytes:
    """A small PDF whose one page draws 600 MB of blanks."""
    stream = zlib.compress(b"BT /F1 12 Tf (x) Tj ET " + b" " * 600_000_000, 9)
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 9 9] >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    body = b"%PDF-1.4\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (i, p) for i, p in enumerate(parts, 1))
    return body + b"trailer << /Root 1 0 R /Size 5 >>\n%%EOF"


@pytest.mark.slow
def test_a_bomb_is_refused_and_the_good_files_after_it_are_read() -> None:
    with Sandbox(seconds=20) as sandbox:
        with pytest.raises(RefusedDocument):
            sandbox.read(".pdf", bomb())
        for _ in range(20):
            assert "forty days" in sandbox.read(".html", PAGE.encode()).text


def test_a_reader_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(seconds=0.01) as sandbox, pytest.raises(RefusedDocument, match="takes longer"):
        sandbox.read(".html", PAGE.encode())


@pytest.mark.parametrize(
    "page",
    [
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file://{}">]><html><body><p>Plain words of a page. &x;</p></body></html>',
        '<html xmlns:xi="http://www.w3.org/2001/XInclude"><body><p>Plain words of a page.</p><xi:include href="file://{}" parse="text"/></body></html>',
        '<html><body><p>Plain words of a page.</p><svg><image href="file://{}"/><text>CANARY</text></svg></body></html>',
    ],
)
def test_a_page_brings_nothing_from_elsewhere(tmp_path: Path, page: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("CANARY")
    with Sandbox() as sandbox:
        text = sandbox.read(".html", page.format(secret).encode()).text
    assert "Plain words" in text
    assert "CANARY" not in text


def test_what_a_page_hides_is_not_read() -> None:
    hidden = ["display:none", "visibility: hidden", "font-size:0", "opacity:0", "color: #fff", "color:white;"]
    spans = "".join(f'<p style="{style}">CANARY {i}</p>' for i, style in enumerate(hidden))
    page = f"<html><body><article><p>It rained in the hills.</p>{spans}<!-- CANARY --><p>Then it stopped.</p></article></body></html>"
    with Sandbox() as sandbox:
        text = sandbox.read(".html", page.encode()).text
    assert "stopped" in text
    assert "CANARY" not in text
