"""Real files of every format, and files that must be refused without stopping the others."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document as new_docx
from fpdf import FPDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import loaders
from corpus.documents import Document
from corpus.errors import CorpusError
from corpus.loaders import Refusal, load_corpus


def write(folder: Path, name: str, content: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def load(folder: Path) -> dict[str, Document]:
    documents, refused = load_corpus(folder)
    assert refused == []
    return {d.id: d for d in documents}


def one(folder: Path, name: str, content: str | bytes) -> Document:
    write(folder, name, content)
    (document,) = load(folder).values()
    return document


def refusal(folder: Path, name: str, content: str | bytes) -> str:
    write(folder, name, content)
    documents, refused = load_corpus(folder)
    assert documents == []
    (only,) = refused
    assert only.path == name
    assert "\n" not in only.reason
    return only.reason


def pdf(*pages: str, title: str = "", password: str = "") -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    made.set_title(title)
    if password:
        made.set_encryption(owner_password=password + "o", user_password=password)
    for text in pages:
        made.add_page()
        made.multi_cell(0, text=text)
    return bytes(made.output())


# Ids, order, folders


def test_documents_are_sorted_by_id_and_come_out_the_same_every_time(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/c.csv", "Ä.txt"):
        write(tmp_path, name, "One,Two\n1,2\n")
    assert list(load(tmp_path)) == ["b", "c", "z", "Ä"]
    assert load_corpus(tmp_path) == load_corpus(tmp_path)


def test_a_name_that_two_files_share_is_told_apart_by_its_path(tmp_path: Path) -> None:
    for name in ("a/report.md", "b/report.txt", "other.txt"):
        write(tmp_path, name, "Text.")
    assert list(load(tmp_path)) == ["a/report.md", "b/report.txt", "other"]


def test_a_file_gives_way_to_a_row_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "File.")
    write(tmp_path, "rows.jsonl", '{"id": "a", "text": "Row."}')
    assert {i: d.text for i, d in load(tmp_path).items()} == {"a": "Row.", "a.txt": "File."}


def test_names_with_a_leading_dot_are_passed_over(tmp_path: Path) -> None:
    for name in (".hidden.txt", ".git/config", ".DS_Store"):
        write(tmp_path, name, "x")
    assert load(tmp_path) == {}


def test_a_missing_corpus_folder_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "file.txt", "x")
    for path in (tmp_path / "none", tmp_path / "file.txt"):
        with pytest.raises(CorpusError, match="--corpus"):
            load_corpus(path)


# Text and Markdown


def test_front_matter_is_cut_off_and_read(tmp_path: Path) -> None:
    head = "---\ntitle: The Gap\npublisher: tbh\nurl: https://e.org/?p=1\ndate: 2025-09-26\n"
    d = one(tmp_path, "x.md", f"{head}kind: article\ntags: [a]\n---\n# Heading\n\nText.\n")
    assert d == Document("x", "# Heading\n\nText.\n", "The Gap", "tbh", "https://e.org/?p=1", "2025-09-26", "article")


def test_without_front_matter_the_title_is_the_first_heading_then_the_file_name(tmp_path: Path) -> None:
    assert one(tmp_path, "x.md", "Intro.\n\n## The *gap* ##\n").title == "The *gap*"
    write(tmp_path, "x.md", "No heading.")
    assert load(tmp_path)["x"].title == "x"


def test_a_rule_at_the_top_is_not_front_matter(tmp_path: Path) -> None:
    text = "---\n\nSome text: here.\n\n---\n\nMore."
    assert one(tmp_path, "x.md", text).text == text


def test_line_ends_and_odd_characters_stay_and_nul_and_surrogates_are_replaced_one_for_one(tmp_path: Path) -> None:
    d = one(tmp_path, "x.md", "---\r\ntitle: T\r\n---\r\nA\r\nb\u2028\x85🎉 e\u0301\0.")
    assert d.text == "A\r\nb\u2028\x85🎉 e\u0301\ufffd."
    write(tmp_path, "x.md", '---\ntitle: "T\\ud800"\n---\nText.')
    write(tmp_path, "y.jsonl", '{"id": "y", "text": "a\\ud800b"}')
    found = load_corpus(tmp_path)[0]
    assert found[-1].text == "a\ufffdb"
    for d in found:
        d.to_json().encode("utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_text_in_other_encodings_is_read(tmp_path: Path, encoding: str) -> None:
    text = "The café of Zoë Müller sells crème brûlée, and it is très bon. À bientôt!\n" * 10
    assert one(tmp_path, "x.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize("name", ["x.md", "x.txt"])
@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    assert "empty" in refusal(tmp_path, name, content) or "no text" in refusal(tmp_path, name, content)


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    assert "not text" in refusal(tmp_path, "x.txt", bytes(range(256)) * 40)


def test_broken_front_matter_is_refused(tmp_path: Path) -> None:
    assert "front matter" in refusal(tmp_path, "x.md", "---\ntitle: [\n---\nText.")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "https://a b", "tbh.today"]
)
def test_an_address_that_a_browser_should_not_open_is_left_out(tmp_path: Path, url: str) -> None:
    assert one(tmp_path, "x.jsonl", json.dumps({"id": "x", "text": "T.", "url": url})).url is None


# Rows and facts


def test_rows_keep_their_ids_and_sources_and_other_keys_are_ignored(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": "r1",
            "title": " A\n title ",
            "text": "One.\n\nTwo.",
            "publisher": "P",
            "url": "http://e.org",
            "date": "2024",
        },
        {"id": 2, "text": "Only text \u2028 here.", "colour": "blue"},
    ]
    write(tmp_path, "rows.jsonl", "\n".join(json.dumps(r, ensure_ascii=False) for r in rows) + "\n\n")
    found = load(tmp_path)
    assert found["r1"] == Document("r1", "One.\n\nTwo.", "A title", "P", "http://e.org", "2024")
    assert found["2"] == Document("2", "Only text \u2028 here.", "2")


def test_a_bad_row_is_refused_by_its_line_and_the_others_go_on(tmp_path: Path) -> None:
    lines = [
        '{"id": "a", "text": "A."}',
        "not json",
        "[1]",
        '{"text": "B."}',
        '{"id": "c"}',
        '{"id": "d", "text": [1]}',
    ]
    lines += ["[" * 100_000, '{"id": "e", "text": "E.", "title": {"x": 1}}', '{"id": "a", "text": "Again."}']
    write(tmp_path, "rows.jsonl", "\n".join([*lines, '{"id": "z", "text": "Z."}']))
    documents, refused = load_corpus(tmp_path)
    assert [d.id for d in documents] == ["a", "z"]
    assert documents[0].text == "A."
    assert [r.reason.split(":")[0] for r in refused] == [
        *(f"line {k}" for k in range(2, 9)),
        "the id 'a' is taken by an earlier document",
    ]
    assert refused[-1].path == "rows.jsonl, line 9"


FACT = """
- id: f1
  claim: Viettel operates 15 data centers.
  value: 15
  unit: data centers
  as_of: 2025
  subject: Viettel
  note: A note.
  disagrees_with: [f2]
  source: {publisher: P, title: T, url: "https://e.org", date: 2025-09-26}
"""


def test_a_fact_is_a_document_with_one_statement(tmp_path: Path) -> None:
    d = one(tmp_path, "facts/talent.yaml", FACT)
    (s,) = d.statements
    assert (d.id, d.kind, d.topic) == ("f1", "fact", "talent")
    assert (d.title, d.publisher, d.url, d.date) == ("T", "P", "https://e.org", "2025-09-26")
    assert (s.id, s.start, s.end, d.text[s.start : s.end]) == (
        "f1",
        0,
        len(d.text),
        "Viettel operates 15 data centers.",
    )
    assert (s.subject, s.value, s.unit, s.as_of, s.note) == ("Viettel", "15", "data centers", "2025", "A note.")
    assert s.disagrees_with == ("f2",)


def test_a_fact_about_a_document_is_a_statement_on_the_slice_it_quotes(tmp_path: Path) -> None:
    write(tmp_path, "texts/article.md", "---\ntitle: T\n---\n# One\n\nIt has 40 models. It leads.\n")
    write(tmp_path, "facts/about.yaml", "- {id: a1, document: article, claim: It leads., value: 1.50}\n")
    found = load(tmp_path)
    (s,) = found["article"].statements
    assert list(found) == ["article"]
    assert found["article"].text[s.start : s.end] == "It leads."
    assert s.value == "1.5"


def test_a_fact_may_be_about_a_row_or_a_file_named_by_its_path(tmp_path: Path) -> None:
    for name in ("a/x.txt", "b/x.txt"):
        write(tmp_path, name, "Same text.")
    write(tmp_path, "r.jsonl", '{"id": "row", "text": "Row text."}')
    about = "- {id: a1, document: b/x.txt, claim: Same text.}\n- {id: a2, document: row, claim: Row text.}\n"
    write(tmp_path, "f.yaml", about)
    assert {i: len(d.statements) for i, d in load(tmp_path).items()} == {"a/x.txt": 0, "b/x.txt": 1, "row": 1}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ("- {id: a1, document: article, claim: Not there.}", "does not stand in the document 'article'"),
        ("- {id: a1, document: none, claim: Text.}", "there is none"),
        ("- {id: a1, claim: ''}", "its claim is missing"),
        ("- {claim: Text.}", "its id is missing"),
        ("- just text", "fact number 1: it is not a mapping"),
        ("- {id: a1, claim: Text., source: here}", "fact 'a1': its source"),
        ("- {id: a1, claim: Text., value: [1, 2]}", "fact 'a1': its \"value\" is not a plain value"),
        ("- {id: a1, claim: Text., disagrees_with: b}", "disagrees_with is not a list"),
        ("{a: 1}", "not a list of facts"),
        ("- {id: a1}\n- ]", "not valid YAML (line 2)"),
        ("- !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("[]", "no facts"),
    ],
)
def test_a_fact_that_cannot_be_used_is_refused_by_name(tmp_path: Path, facts: str, reason: str) -> None:
    write(tmp_path, "article.md", "Text.")
    write(tmp_path, "f.yaml", facts)
    documents, refused = load_corpus(tmp_path)
    assert [d.id for d in documents] == ["article"]
    assert [r.path for r in refused] == ["f.yaml"]
    assert reason in refused[0].reason


def test_the_second_of_two_facts_with_one_id_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "article.md", "Text. More.")
    write(
        tmp_path,
        "a.yaml",
        "- {id: f, claim: First.}\n- {id: f, claim: Second.}\n- {id: f, document: article, claim: More.}\n",
    )
    documents, refused = load_corpus(tmp_path)
    assert [d.text for d in documents] == ["Text. More.", "First."]
    assert [r.reason for r in refused] == [
        "the id 'f' is taken by an earlier document",
        "the id 'f' is taken by an earlier fact",
    ]


# Tables, pages, office files


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_each_row_of_a_table_is_a_sentence_of_its_own(tmp_path: Path, separator: str) -> None:
    rows = [
        ["Country", "AI models", "Note"],
        ["United States", "40", ""],
        ["", "", ""],
        ["China", "15", "high\n quality."],
    ]
    text = "\r\n".join(separator.join(f'"{c}"' if "\n" in c else c for c in r) for r in rows)
    d = one(tmp_path, "models.csv", text)
    assert d.text == "Country: United States; AI models: 40.\n\nCountry: China; AI models: 15; Note: high quality."
    assert (d.title, d.kind) == ("models", "document")


def test_a_table_of_a_header_alone_is_refused(tmp_path: Path) -> None:
    assert "no text" in refusal(tmp_path, "x.csv", "Country,Models\n")


PAGE = """<!DOCTYPE html><html><head><title>The gap | Site</title><meta name="author" content="Le Van A">
<meta property="og:site_name" content="The Site">
<meta property="article:published_time" content="2025-09-26T08:00:00Z">
<link rel="canonical" href="https://e.org/gap"><style>p {color: red}</style>
<script>alert("script")</script></head><body>
<nav><a href="/">Home</a> <a href="/menu">Menu entry</a></nav>
<article><h1>The gap</h1><p>Vietnam invests <b>56 times</b> less than the United States, an event heard in Hanoi.</p>
<p>It took 10<sup>6</sup> <em>hours</em>.<sup><a href="#1">[1]</a></sup></p>
<p style="display: none">Hidden by style.</p><p hidden>Hidden by attribute.</p><!-- a comment -->
<h2>Numbers</h2><ul>
<li>Viettel operates 15 data centers in the country.</li><li>FPT sells AI agents to companies.</li></ul>
<table><tr><th>Country</th><th>Models</th></tr><tr><td>China</td><td>15</td></tr></table></article>
<footer>All rights reserved. Cookie notice.</footer></body></html>"""


def test_a_web_page_gives_its_readable_text_and_its_source(tmp_path: Path) -> None:
    d = one(tmp_path, "page.html", PAGE)
    for kept in (
        "invests 56 times less than",
        "took 10^6 hours.",
        "Viettel operates 15 data centers",
        "## Numbers",
        "Country: China; Models: 15.",
    ):
        assert kept in d.text
    for dropped in ("alert", "Hidden", "comment", "Menu entry", "Cookie", "color", "<", "*", "[1]"):
        assert dropped not in d.text
    assert (d.title, d.publisher, d.url, d.date) == ("The gap", "The Site", "https://e.org/gap", "2025-09-26")


@pytest.mark.parametrize(
    ("head", "body", "date"),
    [
        ("", "<p>The club has 8 members since 2019.</p>", None),
        ("", "<p>The storm of 2020-05-06 was strong.</p><footer>&copy; 2018 The club</footer>", None),
        ("", "<p class=date>It was founded on 12 March 2021.</p>", None),
        ("<meta name=description content='Of the storm of 2020-05-06T08:00:00Z.'>", "<p>It was strong.</p>", None),
        ("", "<p>They met <time datetime=2019-02-03>in spring</time>.</p>", None),
        ("", "<time class='entry-date published' datetime=2022-03-04>4 March</time><p>Since 2019.</p>", "2022-03-04"),
        ("<meta name=dc.date content=2022-03-04>", "<p>The club has 8 members since 2019.</p>", "2022-03-04"),
        (
            "<meta property=article:modified_time content=2023-01-02><meta property=article:published_time content=2022-03-04>",
            "<p>Since 2019.</p>",
            "2022-03-04",
        ),
        (
            '<script type=application/ld+json>{"@type": "Article", "datePublished": "2022-03-04"}</script>',
            "<p>Since 2019.</p>",
            "2022-03-04",
        ),
    ],
)
def test_a_page_has_the_date_that_its_metadata_state_and_none_of_its_prose(
    tmp_path: Path, head: str, body: str, date: str | None
) -> None:
    page = f"<html><head><title>The club</title>{head}</head><body>{body}</body></html>"
    assert one(tmp_path, "x.html", page).date == date


def test_a_very_short_page_is_read_too_and_an_empty_one_refused(tmp_path: Path) -> None:
    assert "Viettel operates" in one(tmp_path, "x.htm", "<p>Viettel operates 15 data centers.</p>").text
    assert "no text" in refusal(tmp_path, "x.htm", "<html><body><script>1</script></body></html>")


def test_a_page_in_a_declared_encoding_is_decoded_by_it(tmp_path: Path) -> None:
    page = "<html><head><meta charset='windows-1258'></head><body><p>Công ty điện tử đầu tư.</p></body></html>"
    data = page.encode("cp1258", "replace")
    assert data.decode("cp1258").split("<p>")[1].split("</p>")[0] in one(tmp_path, "x.html", data).text


def test_a_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    d = one(
        tmp_path,
        "x.pdf",
        pdf("Viettel operates 15 data centers.", "A sentence that runs", "over the page. End.", title="Report"),
    )
    assert d.text == "Viettel operates 15 data centers.\n\nA sentence that runs\nover the page. End."
    assert d.title == "Report"
    assert d.date is not None
    assert len(d.date) == 10
    assert [d.page_at(d.text.index(w)) for w in ("Viettel", "runs", "over", "End")] == [1, 2, 3, 3]


def test_a_pdf_without_text_or_with_a_password_is_refused(tmp_path: Path) -> None:
    assert "scan" in refusal(tmp_path, "x.pdf", pdf(""))
    assert "encrypted" in refusal(tmp_path, "x.pdf", pdf("Secret.", password="word"))


def docx() -> bytes:
    made = new_docx()
    made.core_properties.title = "Plan"
    made.add_heading("The plan", 1)
    made.add_paragraph("Vietnam has a plan.")
    made.add_heading("Pillars", 2)
    for item in ("human capital", "open data"):
        made.add_paragraph(item, style="List Bullet")
    table = made.add_table(rows=2, cols=2)
    for cell, text in zip((c for r in table.rows for c in r.cells), ["Country", "Models", "China", "15"], strict=True):
        cell.text = text
    table.add_row().cells[0].merge(table.rows[2].cells[1]).text = "both"
    made.add_paragraph("Seen ").add_run("unseen").font.hidden = True
    made.add_paragraph("The end.")
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def test_a_word_document_keeps_headings_lists_and_tables(tmp_path: Path) -> None:
    d = one(tmp_path, "x.docx", docx())
    assert d.text == "\n\n".join(
        [
            *("# The plan", "Vietnam has a plan.", "## Pillars", "- human capital", "- open data"),
            *("Country: Models.", "China: 15.", "both.", "Seen", "The end."),
        ]
    )
    assert d.title == "Plan"


def test_a_word_table_of_three_columns_names_them_and_a_frame_has_none(tmp_path: Path) -> None:
    made = new_docx()
    table = made.add_table(rows=4, cols=3)
    cells = ["The bay", "", "", "Fish", "2012", "2022", "Cod", "9", "21", "Ling", "not counted", ""]
    for cell, text in zip((c for r in table.rows for c in r.cells), cells, strict=True):
        cell.text = text
    table.rows[0].cells[0].merge(table.rows[0].cells[2])
    table.rows[3].cells[1].merge(table.rows[3].cells[2])
    frame = made.add_table(rows=2, cols=1)
    for row, text in zip(frame.rows, ("Read this first.", "The pump must be off."), strict=True):
        row.cells[0].text = text
    stream = io.BytesIO()
    made.save(stream)
    assert one(tmp_path, "x.docx", stream.getvalue()).text == "\n\n".join(
        [
            *("The bay.", "Fish: Cod; 2012: 9; 2022: 21.", "Fish: Ling; 2012, 2022: not counted."),
            *("Read this first.", "The pump must be off."),
        ]
    )


def packed(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return stream.getvalue()


def test_a_word_document_that_is_encrypted_is_refused(tmp_path: Path) -> None:
    assert "encrypted" in refusal(tmp_path, "x.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({f"{i}.xml": b"" for i in range(1001)}, "more than 1,000 files"),
        ({"word/document.xml": b"\0" * 101_000_000}, "more than 100 MB"),
        ({"word/document.xml": b"\0" * 10_000_000}, "a hundred times its size"),
    ],
)
def test_a_packed_bomb_is_refused_by_what_it_says_of_itself(
    tmp_path: Path, entries: dict[str, bytes], reason: str
) -> None:
    assert reason in refusal(tmp_path, "x.docx", packed(entries))


# Refusals


@pytest.mark.parametrize("name", ["x.exe", "x.py", "x", "x.json", "x.md.bak"])
def test_an_unknown_format_is_refused_with_those_that_are_known(tmp_path: Path, name: str) -> None:
    reason = refusal(tmp_path, name, "content")
    assert "not supported" in reason
    assert "docx" in reason


@pytest.mark.parametrize("name", ["x.pdf", "x.docx", "x.html", "x.csv", "x.jsonl", "x.yaml", "x.md"])
@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, b"%PDF-1.7\n%%EOF", b"PK\x03\x04broken"]
)
def test_content_of_another_kind_never_stops_the_others(tmp_path: Path, name: str, content: bytes) -> None:
    write(tmp_path, name, content)
    write(tmp_path, "good.txt", "Good.")
    assert "good" in [d.id for d in load_corpus(tmp_path)[0]]


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaders, "MAX_BYTES", 10)
    assert "larger than" in refusal(tmp_path, "x.txt", "eleven byte")


def test_a_pipe_or_a_dangling_link_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "link.txt").symlink_to(tmp_path / "gone.txt")
    documents, refused = load_corpus(tmp_path)
    assert documents == []
    assert [(r.path, r.reason) for r in refused] == [
        ("link.txt", "it cannot be opened: No such file or directory"),
        ("pipe.txt", "it is not a regular file"),
    ]


def test_a_file_name_that_is_no_utf_8_can_be_printed(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(bytes(tmp_path) + b"/bad\xff.txt")).write_text("Text.")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (d,) = load(tmp_path).values()
    assert d.id == "bad\ufffd"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from([".md", ".txt", ".csv", ".html", ".jsonl", ".yaml", ".pdf", ".docx"]),
    head=st.sampled_from(
        [b"", b"---\ntitle: x\n", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b'{"id": "a", ', b"- id: "]
    ),
    body=st.binary(max_size=300) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")),
)
def test_whatever_the_bytes_there_is_a_document_or_a_reason(
    tmp_path: Path, suffix: str, head: bytes, body: bytes
) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(head + body)
    documents, refused = load_corpus(tmp_path)
    path.unlink()
    assert documents or refused
    assert all(d.text.strip() and "\0" not in d.text for d in documents)
    assert all(isinstance(r, Refusal) and r.reason for r in refused)


def test_a_page_with_control_characters_and_a_pdf_with_an_odd_date_are_read(tmp_path: Path) -> None:
    page = "<html><body><article><p>It rained\x01 in&#2; the&#x1F; hills\ufffe of Moc Chau.</p></article></body></html>"
    assert "hills" in one(tmp_path, "x.html", page).text
    data = pdf("It rained.", title="Report")
    at = data.index(b"/CreationDate")
    write(tmp_path, "y.pdf", data[:at] + data[at:].replace(b"(D:20", b"(D:ab", 1))
    found = load(tmp_path)["y"]
    assert (found.text, found.title, found.date) == ("It rained.", "Report", None)


def test_a_time_of_day_stays_one_and_a_long_one_takes_no_time(tmp_path: Path) -> None:
    write(
        tmp_path,
        "f.yaml",
        f"- {{id: f, claim: It begins at 12:30., value: 12:30}}\n- {{id: g, claim: X., value: 1{':59' * 500_000}}}",
    )
    documents, _ = load_corpus(tmp_path)
    assert documents[0].statements[0].value == "12:30"
