"""What a document hides from its reader is not read as its text; what merely looks like hiding is. All files are made here."""

import io
from typing import Any

import pytest
from docx import Document as new_docx
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt, RGBColor
from fpdf import FPDF
from fpdf.enums import TextMode

from corpus.errors import RefusedDocument
from corpus.formats import read_docx, read_html, read_pdf

SEEN = "It rained for forty days in the hills of Moc Chau, and the river rose."
HIDDEN = "CANARY must not be read."


def page(body: str, css: str = "", attributes: str = "") -> str:
    text = (
        f"<html><head><title>Rain</title><style>{css}</style></head><body {attributes}><article><p>{SEEN}</p>{body}"
        "<p>Then the rain stopped.</p></article></body></html>"
    )
    read = read_html(text.encode()).text
    assert "forty days" in read or attributes
    return read


@pytest.mark.parametrize(
    "style",
    [
        "display:none", "DISPLAY : NONE !important", "visibility:hidden", "visibility: collapse", "font-size:0", "font-size: 1px",
        "font-size:0.05em", "font:1px Arial", "opacity:0", "opacity:.01", "color:#fff", "color:white", "color:#fefefe",
        "color:rgb(255, 255, 255)", "color: rgb(255 255 255 / 90%)", "color:hsl(0, 0%, 100%)", "color:transparent",
        "color:rgba(0,0,0,0)", "color:ivory", "color:#123456;background:#133457", "position:absolute;left:-9999px",
        "position:absolute; top:-100em", "position:fixed;left:-300%", "text-indent:-9999px", "position:absolute;clip:rect(0,0,0,0)", "clip-path:inset(50%)",
        "transform:scale(0)", "width:1px;height:1px;overflow:hidden", "max-height:0;overflow:hidden", "content-visibility:hidden",
    ],
)  # fmt: skip
def test_what_a_style_hides_is_not_read(style: str) -> None:
    assert "CANARY" not in page(f'<p style="{style}">{HIDDEN}</p>')
    assert "CANARY" not in page(f'<div style="{style}"><p><span>{HIDDEN}</span></p></div>')
    assert "CANARY" not in page(f'<p class="x">{HIDDEN}</p>', f"p.x {{ margin: 0; {style} }}")
    assert "CANARY" not in page(
        f'<div class="x"><p>{HIDDEN}</p></div>', f"/* a */ @media screen {{ article > .x{{{style}}} }}"
    )


@pytest.mark.parametrize(
    ("body", "css"),
    [
        (f'<font color="white">{HIDDEN}</font>', ""), (f'<p style="color:#000">{HIDDEN}</p>', "body { background: #000; color: #ddd }"),
        (f'<div bgcolor="#112233"><p style="color:#112233">{HIDDEN}</p></div>', ""),
        (f'<div style="font-size:0">{HIDDEN}<p style="font-size:16px">Shown again here.</p>{HIDDEN}</div>', ""),
        (f'<p id="x">{HIDDEN}</p>', "#x, .y { display: none }"), (f"<p hidden>{HIDDEN}</p>", ""), (f"<!-- {HIDDEN} -->", ""),
    ],
)  # fmt: skip
def test_hiding_takes_other_ways_too(body: str, css: str) -> None:
    assert "CANARY" not in page(body, css)


@pytest.mark.parametrize(
    ("body", "css"),
    [
        ('<p style="color:white;background:#123">KEPT</p>', ""), ('<div style="background:#123"><p style="color:#fff">KEPT</p></div>', ""),
        ('<div class="hero"><p style="color:#fff">KEPT</p></div>', ".hero { background: url(sky.jpg) }"),
        ('<div style="background-image:linear-gradient(#000,#333)"><p style="color:#fff">KEPT</p></div>', ""),
        ('<p class="menu">KEPT</p>', "@media print { .menu { display: none } }"), ('<p class="a">KEPT</p>', ".modal .a { display: none }"),
        ('<ul style="font-size:0"><li style="font-size:16px">KEPT in a list of things</li></ul>', ""),
        ('<div style="visibility:hidden"><p style="visibility:visible">KEPT</p></div>', ""),
        ('<p style="color:var(--ink)">KEPT</p>', ""), ('<p class="x">KEPT</p>', ".x:not(.open), .x::after { display: none }"),
        ('<p style="font-size:11px;opacity:.8;position:relative;left:-4px">KEPT</p>', ""),
        ('<div style="position:relative;left:50%;margin-left:-50vw"><p>KEPT</p></div>', "body { visibility: hidden; opacity: 0 }"),
        ('<p class="x">KEPT</p>', ".x { display: none } .x { display: block }"), ('<p style="color:#fff">KEPT</p>', "body { background: black }"),
    ],
)  # fmt: skip
def test_what_is_shown_is_read_however_it_is_styled(body: str, css: str) -> None:
    assert "KEPT" in page(body, css)


def test_a_title_is_not_taken_from_what_is_hidden() -> None:
    text = f'<html><body><h1 style="display:none">{HIDDEN}</h1><h2>Rain</h2><p>{SEEN}</p></body></html>'
    assert "CANARY" not in str(read_html(text.encode()))


# PDF


class Drawn(FPDF):
    """A page with a sentence that is seen; what is drawn next is tried."""

    def __init__(self) -> None:
        super().__init__(unit="pt", format="A4")
        self.add_page()
        self.set_font("Helvetica", size=12)
        self.text(50, 100, SEEN)

    def read(self) -> str:
        text = read_pdf(bytes(self.output())).text
        assert "forty days" in text
        return text


def invisible(pdf: Drawn) -> None:
    with pdf.local_context(text_mode=TextMode.INVISIBLE):
        pdf.text(50, 200, HIDDEN)


def clipping(pdf: Drawn) -> None:
    with pdf.local_context(text_mode=TextMode.CLIP):
        pdf.text(50, 200, HIDDEN)


def white(pdf: Drawn) -> None:
    pdf.set_text_color(255)
    pdf.text(50, 200, HIDDEN)


def nearly_white(pdf: Drawn) -> None:
    pdf.set_text_color(254, 253, 252)
    pdf.text(50, 200, HIDDEN)


def white_on_a_white_box(pdf: Drawn) -> None:
    for shade in (0, 255):
        pdf.set_fill_color(shade)
        pdf.rect(40, 180, 400, 40, style="F")
    white(pdf)


def white_outside_the_dark_box(pdf: Drawn) -> None:
    pdf.set_fill_color(0)
    pdf.rect(40, 380, 400, 40, style="F")
    white(pdf)


def tiny(pdf: Drawn) -> None:
    pdf.set_font_size(0.5)
    pdf.text(50, 200, HIDDEN)


def shrunk(pdf: Drawn) -> None:
    with pdf.transform(pdf_scale(0.05)):
        pdf.text(50, 200, HIDDEN)


def pdf_scale(factor: float) -> Any:
    from fpdf.drawing_primitives import Transform

    return Transform.scaling(factor)


def off_the_page(pdf: Drawn) -> None:
    pdf.text(50, 2000, HIDDEN)


def left_of_the_page(pdf: Drawn) -> None:
    pdf.text(-3000, 200, HIDDEN)


def faint(pdf: Drawn) -> None:
    with pdf.local_context(fill_opacity=0.0):
        pdf.text(50, 200, HIDDEN)


def white_outline(pdf: Drawn) -> None:
    pdf.set_draw_color(255)
    with pdf.local_context(text_mode=TextMode.STROKE):
        pdf.text(50, 200, HIDDEN)


@pytest.mark.parametrize(
    "draw",
    [
        invisible, clipping, white, nearly_white, white_on_a_white_box, white_outside_the_dark_box, tiny, shrunk, off_the_page,
        left_of_the_page, faint, white_outline,
    ],
)  # fmt: skip
def test_what_a_pdf_draws_unseen_is_not_read(draw: Any) -> None:
    pdf = Drawn()
    draw(pdf)
    pdf.set_text_color(0)
    assert "CANARY" not in pdf.read()


def test_white_in_a_form_that_a_page_draws_is_not_read() -> None:
    form = b"q 1 1 1 rg BT /F1 12 Tf 1 0 0 1 50 200 Tm (CANARY) Tj ET Q"
    content = b"BT /F1 12 Tf 50 600 Td (It rained for forty days.) Tj ET /X1 Do BT /F1 12 Tf 50 500 Td (KEPT) Tj ET"
    fonts = b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> %s >>"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 612 792] %s >>"
        % (fonts % b"/XObject << /X1 5 0 R >>"),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 612 792] %s /Length %d >>\nstream\n%s\nendstream"
        % (fonts % b"", len(form), form),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    text = read_pdf(body + table + b"trailer << /Root 1 0 R /Size 6 >>\nstartxref\n%d\n%%%%EOF" % len(body)).text
    assert "forty days" in text
    assert "KEPT" in text
    assert "CANARY" not in text


def test_white_on_dark_small_print_and_headers_of_a_pdf_are_read() -> None:
    pdf = Drawn()
    pdf.set_fill_color(20, 40, 90)
    pdf.rect(40, 180, 400, 30, style="F")
    pdf.set_text_color(255)
    pdf.text(50, 200, "WHITE ON BLUE")
    pdf.ellipse(40, 280, 400, 60, style="F")
    pdf.text(150, 310, "WHITE ON A SHAPE")
    pdf.set_text_color(90)
    pdf.set_font_size(5)
    pdf.text(50, 820, "SMALL PRINT")
    with pdf.rotation(90, 300, 400):
        pdf.text(300, 400, "TURNED")
    read = pdf.read()
    for words in ("WHITE ON BLUE", "WHITE ON A SHAPE", "SMALL PRINT", "TURNED"):
        assert words in read


def picture() -> Any:
    from PIL import Image

    return Image.new("RGB", (60, 80), (200, 190, 180))


def test_the_text_that_was_read_from_a_scan_is_read_and_text_behind_a_small_image_is_not() -> None:
    for width, shown in ((595, True), (60, False)):
        pdf = FPDF(unit="pt", format="A4")
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.image(picture(), 0, 0, w=width)
        with pdf.local_context(text_mode=TextMode.INVISIBLE):
            pdf.text(50, 200, "What the scan says.")
        if shown:
            assert "What the scan says." in read_pdf(bytes(pdf.output())).text
        else:
            with pytest.raises(RefusedDocument, match="may be a scan"):
                read_pdf(bytes(pdf.output()))


# Word


def word(write: Any) -> str:
    made = new_docx()
    made.add_paragraph(SEEN)
    write(made)
    stream = io.BytesIO()
    made.save(stream)
    text = read_docx(stream.getvalue()).text
    assert "forty days" in text
    return text


def run(made: Any, text: str = HIDDEN) -> Any:
    return made.add_paragraph().add_run(text)


def hidden_by(change: Any) -> Any:
    return lambda made: change(run(made).font)


def styled(kind: Any, change: Any) -> Any:
    def write(made: Any) -> None:
        base = made.styles.add_style("Base", kind)
        change(base.font)
        made.styles.add_style("Above", kind).base_style = base
        if kind == WD_STYLE_TYPE.PARAGRAPH:
            made.add_paragraph(HIDDEN, style="Above")
        else:
            made.add_paragraph().add_run(HIDDEN, style="Above")

    return write


def paint(font: Any, shade: int = 255) -> None:
    font.color.rgb = RGBColor(shade, shade, shade)


@pytest.mark.parametrize(
    "write",
    [
        hidden_by(lambda font: setattr(font, "hidden", True)), hidden_by(paint), hidden_by(lambda font: paint(font, 252)),
        hidden_by(lambda font: setattr(font, "size", Pt(1))),
        *(
            styled(kind, change)
            for kind in (WD_STYLE_TYPE.PARAGRAPH, WD_STYLE_TYPE.CHARACTER)
            for change in (paint, lambda font: setattr(font, "hidden", True), lambda font: setattr(font, "size", Pt(1)))
        ),
    ],
)  # fmt: skip
def test_what_a_word_document_hides_is_not_read(write: Any) -> None:
    assert "CANARY" not in word(write)


def test_what_a_word_document_shows_is_read_however_it_is_styled() -> None:
    def write(made: Any) -> None:
        run(made, "NOT HIDDEN").font.hidden = False
        cell = made.add_table(1, 1).cell(0, 0)
        cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="1F3864"/>'))
        paint(cell.paragraphs[0].add_run("WHITE ON BLUE").font)
        hidden = made.styles.add_style("Unseen", WD_STYLE_TYPE.PARAGRAPH)
        hidden.font.hidden = True
        made.add_paragraph(style="Unseen").add_run("SHOWN AGAIN").font.hidden = False
        run(made, "SMALL PRINT").font.size = Pt(6)

    text = word(write)
    for words in ("NOT HIDDEN", "WHITE ON BLUE", "SHOWN AGAIN", "SMALL PRINT"):
        assert words in text
