"""Feedback: what is sent is kept, bounded and checked; what is known to be right becomes rows of a question set."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.answer import Answer, Citation
from bot.batch import read_rows
from bot.cli import main
from bot.config import settings
from bot.evaluation import read_questions, verdict
from bot.feedback import Feedback, FeedbackLog, Slice, eval_rows
from bot.limits import Access, read_access
from corpus.errors import GapbotError, UsageError
from tests.fake_chain import DOCUMENTS, VIETTEL, FakeChain
from tests.serving import served

GOOD = {
    "question": "How many data centers does Viettel operate?",
    "history": [],
    "read_as": None,
    "status": "answered",
    "text": "Viettel operates 15 data centers. [1]",
    "short": "15 data centers",
    "citations": [{"document": "art", "start": VIETTEL.start, "end": VIETTEL.end, "quote": VIETTEL.quote}],
    "rating": "up",
    "comment": "just so",
    "right_passage": None,
    "generation": "g1",
}
RIGHT = {"document": "art", "start": VIETTEL.start, "end": VIETTEL.end}


@pytest.fixture(scope="module")
def served_log(tmp_path_factory: pytest.TempPathFactory) -> FeedbackLog:
    return FeedbackLog(tmp_path_factory.mktemp("home") / "feedback" / "one.jsonl")


@pytest.fixture(scope="module")
def client(served_log: FeedbackLog) -> Iterator[httpx.Client]:
    with (
        served(FakeChain(), Access(keys=("k",)), feedback=served_log) as address,
        httpx.Client(base_url=address, timeout=30, headers={"x-api-key": "k"}) as client,
    ):
        yield client


@pytest.fixture
def log(served_log: FeedbackLog) -> FeedbackLog:
    """The log of the server, empty."""
    served_log.clear()
    return served_log


def given(**changed: object) -> Feedback:
    row = GOOD | {"history": (), "citations": (Slice("art", VIETTEL.start, VIETTEL.end, VIETTEL.quote),)} | changed
    return Feedback(**row)  # type: ignore[arg-type]


def test_what_the_page_sends_is_kept_whole_and_needs_no_key(client: httpx.Client, log: FeedbackLog) -> None:
    assert client.post("/api/feedback", json=GOOD, headers={"x-api-key": "wrong"}).status_code == 401
    assert client.post("/page/feedback", json=GOOD, headers={"x-api-key": ""}).status_code == 204
    [(time, kept)] = log.read()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
    assert kept == given()


def test_what_the_page_sends_is_counted_by_the_rate_limit(log: FeedbackLog) -> None:
    with served(FakeChain(), read_access({"GAPBOT_RATE": "2/minute"}), feedback=log) as address:
        told = [httpx.post(f"{address}/page/feedback", json=GOOD).status_code for _ in range(3)]
    assert told == [204, 204, 429]


def test_the_right_passage_is_read_from_the_source_not_from_what_was_sent(
    client: httpx.Client, log: FeedbackLog
) -> None:
    client.post("/api/feedback", json=GOOD | {"rating": "down", "right_passage": RIGHT | {"quote": "made up"}})
    right = log.read()[0][1].right_passage
    assert right is not None
    assert right.quote == VIETTEL.quote


@pytest.mark.parametrize(
    "wrong",
    [
        {"rating": "sideways"},
        {"question": ""},
        {"question": "x" * 8001},
        {"question": 3},
        {"status": "great"},
        {"text": "x" * 20_001},
        {"comment": "x" * 2001},
        {"comment": "\ud800"},
        {"history": ["x"] * 51},
        {"history": "x"},
        {"citations": [{"document": "art", "start": -1, "end": 2, "quote": ""}]},
        {"citations": [{"document": "art", "start": 0, "end": 2, "quote": "x" * 4001}]},
        {"citations": [{"document": "art", "start": True, "end": 2, "quote": ""}]},
        {"right_passage": {"document": "none", "start": 0, "end": 5}},
        {"right_passage": {"document": "art", "start": 5, "end": 5}},
        {"right_passage": {"document": "art", "start": 5, "end": 3}},
        {"right_passage": {"document": "art", "start": 0, "end": 10**6}},
        {"right_passage": {"document": "art", "start": "0", "end": 5}},
    ],
)
def test_what_cannot_be_used_is_refused_and_not_kept(
    client: httpx.Client, log: FeedbackLog, wrong: dict[str, object]
) -> None:
    body = json.dumps(GOOD | wrong)
    response = client.post("/api/feedback", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert "\n" not in response.json()["error"]["message"]
    assert log.read() == []


def test_a_body_over_the_limit_and_another_site_are_refused(client: httpx.Client, log: FeedbackLog) -> None:
    assert client.post("/api/feedback", json=GOOD | {"text": "x" * 70_000}).status_code == 413
    foreign = client.post("/api/feedback", json=GOOD, headers={"origin": "http://elsewhere.example"})
    assert foreign.status_code == 403
    assert log.read() == []


def test_where_it_is_turned_off_the_server_says_so() -> None:
    with served(FakeChain()) as address:
        for path in ("/api/feedback", "/page/feedback"):
            response = httpx.post(f"{address}{path}", json=GOOD)
            assert response.status_code == 403
            assert "GAPBOT_FEEDBACK" in response.json()["error"]["message"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(GapbotError, match="could not be written"):
        FeedbackLog(tmp_path / "file" / "one.jsonl").keep(given(), DOCUMENTS.get)


def test_a_later_judgement_of_the_same_answer_takes_the_place_of_the_former(log: FeedbackLog) -> None:
    log.keep(given(id="a"), DOCUMENTS.get)
    log.keep(given(id="b"), DOCUMENTS.get)
    log.keep(given(id="a", rating="down"), DOCUMENTS.get)
    assert [(f.id, f.rating) for _, f in log.read()] == [("b", "up"), ("a", "down")]


def test_the_file_stays_bounded_and_broken_lines_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    log = FeedbackLog(file)
    file.write_text('{"time": "x", "question"\n{"time": "x"}\n[]\n', encoding="utf-8")
    for n in range(300):
        log.keep(given(id=str(n), text="ф" * 20_000, comment=None), DOCUMENTS.get)
    size = sum(f.stat().st_size for f in tmp_path.iterdir())
    assert size < 2 * 4_000_000 + 200_000
    assert log.read()[-1][1].id == "299"
    log.clear()
    assert log.read() == []


def exported(*judged: Feedback) -> tuple[list[dict[str, object]], int]:
    rows, left_out = eval_rows(judged)
    read_questions(list(enumerate(rows, 1)), "export")
    return rows, left_out


def test_an_answer_found_good_is_right_again_and_another_is_not() -> None:
    rows, _ = exported(given())
    [case] = read_questions([(1, rows[0])], "export")
    cited = (VIETTEL,)
    good = Answer("q", "answered", f"{VIETTEL.quote} [1]", short="15 data centers", citations=cited)
    assert verdict(case, good) == "right"
    other = Citation(1, "x", "x", None, None, None, "Viettel has 99.", 0, 15)
    assert verdict(case, Answer("q", "answered", "99 [1]", citations=(other,))) == "wrong"


def test_what_a_quote_holds_is_no_pattern() -> None:
    quote = "It cost $1.5bn (up 3%) [sic]? C:\\new"
    rows, _ = exported(given(short="$1.5bn (up 3%)", citations=(Slice("d", 0, len(quote), quote),)))
    assert all(re.search(str(p), quote) for key in ("gold", "evidence") for p in rows[0][key])  # type: ignore[attr-defined]


def test_a_bad_answer_gives_a_row_only_with_its_right_passage() -> None:
    bad = given(rating="down")
    assert exported(bad) == ([], 1)
    passage = "Vietnam has potential. Viettel operates 15 data centers."
    rows, left_out = exported(given(rating="down", short="99", right_passage=Slice("art", 0, 1, passage)))
    assert left_out == 0
    [case] = read_questions([(1, rows[0])], "export")
    assert case.answerable
    assert case.gold == ()
    assert verdict(case, Answer("q", "answered", "So. [1]", citations=(VIETTEL,))) == "right"


def test_a_refusal_found_good_is_a_question_to_refuse() -> None:
    rows, _ = exported(given(status="near_miss", short=None, citations=(), question="Who is the mayor?"))
    assert rows[0]["answerable"] is False
    assert exported(given(status="chat", question="hello"))[1] == 1


def test_the_newest_judgement_of_a_question_counts() -> None:
    again = given(rating="down", question="how many data centers does  viettel operate")
    assert exported(given(), again) == ([], 1)


def test_the_commands_list_export_and_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = ["--home", str(tmp_path)]
    assert main([*home, "feedback"]) == 0
    assert "Nobody" in capsys.readouterr().out
    log = FeedbackLog(settings(str(tmp_path)).feedback)
    log.keep(given(comment="\x1b[31mred\x1b[0m\nline"), DOCUMENTS.get)
    log.keep(given(rating="down", question="And?"), DOCUMENTS.get)

    assert main([*home, "feedback"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines()[0].split()[1] == "down"
    assert "How many data centers does Viettel operate? → 15 data centers" in out

    assert main([*home, "feedback", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["rating"] for row in rows] == ["down", "up"]

    file = tmp_path / "rows.jsonl"
    assert main([*home, "feedback", "--export", str(file)]) == 0
    assert "1 left out" in capsys.readouterr().err
    [case] = read_questions(read_rows(str(file)), str(file))
    assert case.question.text == GOOD["question"]

    assert main([*home, "feedback", "--export", str(tmp_path / "no" / "rows.jsonl")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert main([*home, "feedback", "--clear"]) == 0
    assert main([*home, "feedback", "--clear", "--export", "x"]) == 2
    assert log.read() == []

    monkeypatch.setenv("GAPBOT_FEEDBACK", "off")
    capsys.readouterr()
    assert main([*home, "feedback"]) == 0
    assert "GAPBOT_FEEDBACK" in capsys.readouterr().out


def test_a_right_passage_outside_its_document_is_refused(log: FeedbackLog) -> None:
    with pytest.raises(UsageError, match="right_passage"):
        log.keep(given(right_passage=Slice("art", 0, 10**6)), DOCUMENTS.get)
