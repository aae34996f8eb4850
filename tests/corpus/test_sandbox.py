"""The process apart in which files of intricate formats are read."""

import io
import json
import random
import socket
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from docx import Document as new_docx

from corpus.errors import RefusedDocument
from corpus.loaders import load_corpus
from corpus.sandbox import MEGABYTES, SECONDS, Sandbox

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
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


def word(document: bytes) -> bytes:
    """A Word document with other content."""
    made, stream = io.BytesIO(), io.BytesIO()
    new_docx().save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, document if name == "word/document.xml" else source.read(name))
    return stream.getvalue()


def large_word() -> bytes:
    """A Word document of less than 100 MB, packed to little more than a hundredth: 600,000 empty paragraphs."""
    chance = random.Random(1)
    return word(
        f"<w:document {_W}><w:body>{'<w:p/>' * 600_000}</w:body><!--{chance.randbytes(40_000).hex()}--></w:document>".encode()
    )


BOMBS = {
    "pdf": (".pdf", bomb), "docx": (".docx", large_word),
    "html": (".html", lambda: b"<html><body>" + b"<div>" * 2_000_000 + b"x"),
    "yaml": (".yaml", lambda: b"- &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"- &%c [%s]\n" % (98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9))),
}  # fmt: skip


_READ = """
import json, resource, sys
from pathlib import Path
from corpus.loaders import load_corpus
documents, refused = load_corpus(Path(sys.argv[1]))
# What getrusage tells of a process itself begins with what its parent had when it was started.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peaks = [int(status["VmHWM"].split()[0]) >> 10, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10]
print(json.dumps([[d.text for d in documents], [[r.path, r.reason] for r in refused], *peaks]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is told in another way, or not limited")
def test_bombs_cost_no_more_than_the_limits_and_the_good_files_of_the_batch_are_read(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"good-{number:03}.html").write_text(PAGE, encoding="utf-8")
    for name, (suffix, make) in BOMBS.items():
        # Between the good ones, in the order in which they are read.
        (tmp_path / f"good-050-{name}{suffix}").write_bytes(make())
    started = time.monotonic()
    # In a process of its own, so that what other tests have started is not counted.
    done = subprocess.run([sys.executable, "-c", _READ, str(tmp_path)], stdout=subprocess.PIPE, check=True, timeout=300)
    took = time.monotonic() - started
    texts, refused, here, apart = json.loads(done.stdout)
    assert sum("forty days" in text for text in texts) == 100
    # Whatever is not refused has been read within the limits.
    assert {"pdf", "yaml"} <= {Path(path).suffix[1:] for path, _ in refused}
    assert all(reason for _, reason in refused)
    assert took <= len(BOMBS) * SECONDS + 60
    # The limit holds for what is allotted; the libraries themselves come on top.
    assert apart <= MEGABYTES + 150
    assert here <= 200


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


@pytest.mark.parametrize("place", ["file", "http"])
@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE w:document [<!ENTITY x SYSTEM "{}">]>~<w:p><w:r><w:t>Plain words. &x;</w:t></w:r></w:p>',
        '<!DOCTYPE w:document SYSTEM "{}">~<w:p><w:r><w:t>Plain words.</w:t></w:r></w:p>',
        '<!DOCTYPE w:document [<!ENTITY % x SYSTEM "{}"> %x;]>~<w:p><w:r><w:t>Plain words.</w:t></w:r></w:p>',
        '~<w:p><w:r><w:t>Plain words.<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{}" parse="text"/></w:t></w:r></w:p>',
    ],
    ids=["entity", "dtd", "parameter entity", "xinclude"],
)
def test_a_word_document_brings_nothing_from_elsewhere(tmp_path: Path, place: str, body: str) -> None:
    (tmp_path / "secret.txt").write_text("CANARY")
    with socket.create_server(("127.0.0.1", 0)) as listening, Sandbox() as sandbox:
        listening.settimeout(0.2)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x" if place == "http" else f"file://{tmp_path}/secret.txt"
        kind, _, text = body.format(url).partition("~")
        data = word(f"{kind}<w:document {_W}><w:body>{text}</w:body></w:document>".encode())
        try:
            said = sandbox.read(".docx", data).text
        except RefusedDocument as error:
            said = str(error)
        assert "CANARY" not in said
        with pytest.raises(TimeoutError):
            listening.accept()


def test_an_image_that_is_no_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_text(
        '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><text>&x;</text></svg>'
    )
    documents, refused = load_corpus(tmp_path)
    assert documents == []
    assert "not supported" in refused[0].reason


def test_what_a_page_hides_is_not_read() -> None:
    hidden = ["display:none", "visibility: hidden", "font-size:0", "opacity:0", "color: #fff", "color:white;"]
    spans = "".join(f'<p style="{style}">CANARY {i}</p>' for i, style in enumerate(hidden))
    page = f"<html><body><article><p>It rained in the hills.</p>{spans}<!-- CANARY --><p>Then it stopped.</p></article></body></html>"
    with Sandbox() as sandbox:
        text = sandbox.read(".html", page.encode()).text
    assert "stopped" in text
    assert "CANARY" not in text
