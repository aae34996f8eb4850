"""The tabs of facts and of the corpus: rows, charts and figures come from the facts' own fields, and nothing can run."""

import gzip
import re
import shutil
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from bot import explore
from bot.chain import Chain
from bot.charts import by_country, draw, ranks_by_year
from bot.facts import Fact, read_facts
from bot.places import countries, regions
from corpus.documents import Document
from corpus.loaders import load_corpus
from index.catalogue import Catalogue, Group
from tests.fake_chain import HOSTILE

VIETNAMESE = Path(explore.__file__).parent / "page" / "vi.js"
README = Path(__file__).parents[2] / "README.md"
MONEY = {"USD billion": 1.0, "USD million": 0.001}


@pytest.fixture
def facts_of(tmp_path: Path) -> Callable[[list[dict[str, object]]], list[Fact]]:
    """Read facts through the loader and a catalogue, as an index would hold them."""

    def read(entries: list[dict[str, object]]) -> list[Fact]:
        folder = tmp_path / "corpus"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        rows = [{"id": f"f{n}", "source": {"title": "T", "publisher": "P"}} | e for n, e in enumerate(entries)]
        (folder / "harbour-trade.yaml").write_text(yaml.safe_dump(rows), encoding="utf-8")
        documents, refused = load_corpus(folder)
        assert refused == []
        return read_facts(catalogue(tmp_path / "catalogue.sqlite", documents))

    return read


def catalogue(path: Path, documents: list[Document]) -> Catalogue:
    path.unlink(missing_ok=True)
    made = Catalogue(path, writable=True)
    for document in documents:
        made.put(document, [])
    made.commit()
    return made


def pages(documents: list[Document], path: Path) -> str:
    """Both tabs over some documents."""
    chain: Any = SimpleNamespace(index=Indexed(catalogue(path, documents), len(documents)))
    return gzip.decompress(explore.render_explore(chain)).decode() + explore.render_about(chain)


class Indexed:
    """An index that only lists: one that can be kept by its identity."""

    def __init__(self, catalogue: Catalogue, documents: int) -> None:
        self.catalogue = catalogue
        self.generation = SimpleNamespace(name="g1", documents=documents, passages=1, sentences=1)


def test_countries_are_named_in_many_ways_and_ordinary_words_name_none() -> None:
    assert countries("US, UK and Chinese firms; Viet Nam's too") == (
        "United States",
        "United Kingdom",
        "China",
        "Vietnam",
    )
    assert countries("give us turkey and fine china") == ()
    assert countries("Papua New Guinea") == ("Papua New Guinea",)
    assert countries("the AI of IT") == ()
    assert regions("Southeast Asia") == ("Southeast Asia",)


def test_a_fact_has_its_figure_years_places_and_topic(facts_of: Any) -> None:
    [fact] = facts_of(
        [{"claim": "Peru shipped more than 12000 crates to Chile. It grew.", "value": 12000, "unit": "crates (more than)",
          "as_of": "2019-2021", "subject": "Peru"}]
    )  # fmt: skip
    assert fact.figure == "more than 12,000 crates"
    assert (fact.years, fact.when) == ((2019, 2021), "2019–2021")
    assert fact.places == ("Peru", "Chile")
    assert fact.topic == "harbour trade"
    assert fact.question == "Peru shipped more than 12000 crates to Chile?"


def test_facts_come_newest_told_first_and_a_forecast_is_not_news(facts_of: Any) -> None:
    found = facts_of(
        [
            {"claim": "Forecast.", "as_of": 2045},
            {"claim": "Old.", "as_of": 1999},
            {"claim": "Dated.", "source": {"title": "T", "date": "2024-05-01"}},
            {"claim": "Of 2023.", "as_of": 2023},
        ]
    )
    assert [f.claim for f in found] == ["Dated.", "Of 2023.", "Old.", "Forecast."]


def test_what_is_recorded_twice_for_one_sentence_is_one_fact(shipped: dict[str, Document], tmp_path: Path) -> None:
    found = read_facts(catalogue(tmp_path / "c.sqlite", list(shipped.values())))
    seen = [(f.document.id, f.statement.start, f.figure) for f in found]
    assert len(seen) == len(set(seen))
    assert len(found) >= len(shipped) - 1
    for f in found:
        assert f.document.text[f.statement.start : f.statement.end] == f.claim


def test_countries_are_compared_by_their_newest_figure_in_one_unit(facts_of: Any) -> None:
    found = facts_of(
        [
            {"claim": "Port spending in Peru was USD 2 billion.", "value": 2, "unit": "USD billion", "as_of": 2020, "subject": "Peru"},
            {"claim": "Port spending in Peru was USD 900 million.", "value": 900, "unit": "USD million", "as_of": 2022, "subject": "Peru"},
            {"claim": "Chile's port spending came to USD 1 billion.", "value": 1, "unit": "USD billion", "as_of": 2021, "subject": "Chile"},
            {"claim": "Port spending by Acme was USD 7 billion.", "value": 7, "unit": "USD billion", "as_of": 2021, "subject": "Acme"},
            {"claim": "Port spending in Brazil 2010-2020.", "value": 9, "unit": "USD billion", "as_of": "2010-2020", "subject": "Brazil"},
            {"claim": "Port spending is 3% in Cuba.", "value": 3, "unit": "percent", "as_of": 2021, "subject": "Cuba"},
            {"claim": "Spending on ports in Lima, Peru.", "value": 3, "unit": "USD billion", "as_of": 2023, "subject": "Lima, Peru"},
            {"claim": "All spending of Cuba.", "value": 0.5, "unit": "USD billion", "as_of": 2021, "subject": "Cuba"},
        ]
    )  # fmt: skip
    chart = by_country(found, "Ports", "", ("port spending", "spending"), MONEY)
    assert [(m.label, m.number, m.fact.when, m.beside) for m in chart.marks] == [
        ("Chile", 1.0, "2021", False), ("Peru", 0.9, "2022", False), ("Cuba", 0.5, "2021", True),
    ]  # fmt: skip
    assert [m.across for m in chart.marks] == [100.0, 90.0, 50.0]


def test_a_figure_beside_the_measure_that_another_source_denies_is_left_out(facts_of: Any) -> None:
    entry = {"claim": "Spending of Cuba.", "unit": "USD billion", "as_of": 2021, "subject": "Cuba"}
    same = facts_of([entry | {"value": 5, "disagrees_with": ["f1"]}, entry | {"value": 5, "subject": "x"}])
    assert len(by_country(same, "", "", ("port spending", "spending"), MONEY).marks) == 1
    other = facts_of([entry | {"value": 5, "disagrees_with": ["f1"]}, entry | {"value": 6, "subject": "x"}])
    assert by_country(other, "", "", ("port spending", "spending"), MONEY).marks == ()


def test_ranks_stand_by_year_the_best_on_top_and_disputed_ones_both(facts_of: Any) -> None:
    entry = {"claim": "Peru in the Harbour Index.", "unit": "rank out of 90", "subject": "Peru"}
    found = facts_of(
        [
            entry | {"value": 40, "as_of": 2020},
            entry | {"value": 20, "as_of": 2022, "disagrees_with": ["f2"]},
            entry | {"value": 30, "as_of": 2022, "disagrees_with": ["f1"]},
            entry | {"value": 1, "as_of": 2022, "subject": "Chile"},
        ]
    )
    chart = ranks_by_year(found, "Harbours", "", "harbour index")
    assert chart.of == "Peru"
    assert [(m.label, m.up, m.fact.disputed) for m in chart.marks] == [
        ("40 of 90", 0.0, False), ("20 of 90", 100.0, True), ("30 of 90", 50.0, True),
    ]  # fmt: skip


def test_the_shipped_facts_make_three_charts_whose_figures_stand_in_their_facts(
    shipped: dict[str, Document], tmp_path: Path
) -> None:
    charts = draw(read_facts(catalogue(tmp_path / "c.sqlite", list(shipped.values()))))
    assert [c.kind for c in charts] == ["bars", "ranks", "bars"]
    for chart in charts:
        assert len(chart.marks) >= 4
        assert any("Vietnam" in (m.fact.statement.subject or "") for m in chart.marks)
        for mark in chart.marks:
            assert (mark.fact.statement.value or "?") in mark.fact.claim.replace(",", "")
            assert mark.fact.when
            assert 0 <= mark.across <= 100
            assert 0 <= mark.up <= 100


class Hazards(HTMLParser):
    """Collects what could run or load: elements, handlers and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "iframe", "link", "style", "object", "embed", "base", "meta", "b", "u"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "src", "srcset"):
                self.found.append(f"{tag} {name}")
            if name == "href" and not re.match(r"https?://|\?tab=", value or ""):
                self.found.append(value or "")
            if name == "href" and (value or "").startswith("http") and ("rel", "noopener noreferrer") not in attrs:
                self.found.append(f"{value} without rel")


def test_hostile_facts_are_shown_as_text_and_link_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    entry = {
        "id": 'x" onmouseover="1', "claim": HOSTILE, "value": "<u>1</u>", "unit": HOSTILE, "subject": HOSTILE,
        "note": HOSTILE, "as_of": "2024", "source": {"title": HOSTILE, "publisher": HOSTILE, "url": "javascript:alert(1)"},
    }  # fmt: skip
    (folder / "<b>t.yaml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
    documents, _ = load_corpus(folder)
    html = pages(documents, tmp_path / "c.sqlite")
    hazards = Hazards()
    hazards.feed(html)
    assert hazards.found == []
    assert "window.pwned" in html


def test_every_text_of_the_interface_has_its_vietnamese(shipped: dict[str, Document], tmp_path: Path) -> None:
    html = pages(list(shipped.values()), tmp_path / "c.sqlite") + pages([], tmp_path / "d.sqlite")
    marked = re.findall(r"<[^<>]* data-t(?: hidden)?>([^<]*)<", html)
    labels = re.findall(r'data-t-(?:label|placeholder)="([^"]*)"', html)
    texts = {unescape(text).strip() for text in marked + labels}
    known = set(re.findall(r'^  "((?:[^"\\]|\\.)*)": "', VIETNAMESE.read_text(encoding="utf-8"), re.M))
    assert len(texts) > 60
    assert texts - known == set()


def test_a_corpus_without_facts_says_so(tmp_path: Path) -> None:
    html = pages([Document("a", "Words.", "A")], tmp_path / "c.sqlite")
    assert "No facts to browse" in html
    assert "Documents</span>: 1." in html
    assert "<form" not in html
    assert "Oldest source" in html


def test_an_empty_corpus_has_its_pages_too(tmp_path: Path) -> None:
    assert "No facts to browse" in pages([], tmp_path / "c.sqlite")


def test_what_a_corpus_holds_is_counted() -> None:
    held = explore.holding(
        [
            Group("fact", "talent", "A", "2025-04", 3),
            Group("fact", "trade-law", "B", "2023", 1),
            Group("article", None, "A", None, 2),
            Group("document", None, None, "last spring", 1),
        ],
        9,
    )
    assert (held.documents, held.facts, held.publishers, held.undated) == (7, 9, 2, 2)
    assert (held.oldest, held.newest) == ("2023", "2025-04")
    assert held.topics == (("talent", 3), ("trade law", 1))


def test_the_shipped_corpus_is_shown_whole(shipped_chain: Chain) -> None:
    packed = explore.render_explore(shipped_chain)
    html = gzip.decompress(packed).decode()
    found = read_facts(shipped_chain.index.catalogue)
    assert html.count('<article class="fact"') == len(found) > 350
    assert packed is explore.render_explore(shipped_chain)
    about = explore.render_about(shipped_chain)
    assert f"{shipped_chain.index.generation.documents:,}" in about
    assert shipped_chain.index.generation.name in about


def test_a_new_generation_is_shown_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for n in range(2):
        entry = {"id": "a", "claim": f"Claim {n}.", "source": {"title": "T"}}
        (folder / "facts.yaml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
        documents, _ = load_corpus(folder)
        assert f"Claim {n}." in pages(documents, tmp_path / f"{n}.sqlite")


def test_the_figures_shown_are_those_of_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    section = text[text.index("\n## Measured\n") : text.index("\n## Limits\n")]
    lines = [line for line in section.splitlines() if line.startswith("|") and not line.startswith("|---")]
    shown = [row for table in explore.measured()["tables"] for row in [table["columns"], *table["rows"]]]
    assert sorted(lines) == sorted(
        f"| {' | '.join(row)} |".replace("|  |", "| |").replace("|  |", "| |") for row in shown
    )
