"""The command line as its users call it: real processes, real index."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.llm_server import llm_server


def run(*arguments: str, home: Path, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "--home", str(home), *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=120, input=stdin,
        env={k: v for k, v in os.environ.items() if not k.startswith("GAPBOT_")} | env,
    )  # fmt: skip


def test_a_question_is_answered_in_plain_text_when_piped(shipped_home: Path) -> None:
    done = run("ask", "How many data centers does Viettel operate?", home=shipped_home)
    assert done.returncode == 0
    assert done.stdout.startswith("15")
    assert "Viettel operates 15 data centers. [1]" in done.stdout
    assert "https://tbh.today/?p=863" in done.stdout
    assert "\x1b[" not in done.stdout


def test_json_has_the_fields_of_the_contract_and_nothing_else_on_standard_output(shipped_home: Path) -> None:
    done = run("ask", "How many data centers does Viettel operate?", "--json", home=shipped_home)
    row: dict[str, Any] = json.loads(done.stdout)
    assert {
        "id", "question", "read_as", "status", "text", "short", "citations", "closest", "conflicts", "confidence", "answered_by",
        "notice", "generation", "milliseconds",
    } <= set(row)  # fmt: skip
    assert {"marker", "document", "title", "publisher", "url", "date", "quote", "start", "end"} <= set(
        row["citations"][0]
    )
    assert row["status"] == "answered"
    assert 0 <= row["confidence"] <= 1


def test_the_version_is_printed(tmp_path: Path) -> None:
    done = run("--version", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"gapbot {version('gapbot')}\n")


def test_a_question_that_is_not_answered_exits_with_3(shipped_home: Path) -> None:
    assert run("ask", "How do I bake sourdough bread?", home=shipped_home).returncode == 3


def test_a_batch_is_answered_in_order_and_unknown_keys_are_ignored(shipped_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "batch.jsonl"
    rows = [
        {"id": "a", "question": "How many AI models has the United States developed?", "colour": "blue"},
        {"id": 2, "question": "and China?", "history": ["How many AI models did the United States release in 2024?"]},
        {"question": "hello"},
    ]
    file.write_text("\n".join(json.dumps(r) for r in rows) + "\n\n", encoding="utf-8")
    done = run("ask", "--batch", str(file), "--json", home=shipped_home)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["id"] for a in answers] == ["a", 2, None]
    assert [a["status"] for a in answers] == ["answered", "answered", "chat"]


def test_json_counts_the_tokens_of_an_llm_and_what_it_is_sent_is_shown(shipped_home: Path, tmp_path: Path) -> None:
    question = "How many data centers does Viettel operate?"
    with llm_server() as llm:
        env = {"GAPBOT_LLM": "openai:fake", "GAPBOT_LLM_URL": llm.url, "OPENAI_API_KEY": "unused"}
        row = json.loads(run("ask", question, "--json", home=shipped_home, **env).stdout)
        assert row["answered_by"] == "openai:fake"
        assert row["tokens"] == {"sent": 321, "received": 45, "estimated": False}
        file = tmp_path / "batch.jsonl"
        file.write_text(json.dumps({"question": "and VNPT?", "history": [question]}), encoding="utf-8")
        done = run("ask", "--batch", str(file), "--show-prompt", "--json", home=shipped_home, **env)
        assert len(llm.prompts) == 1
    prompts = [json.loads(line) for line in done.stdout.splitlines()]
    assert "Last question: and VNPT?" in prompts[0]["user"]
    assert question in prompts[0]["user"]


def test_search_lists_passages_with_exact_offsets(shipped_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "queries.jsonl"
    rows = ['{"id": "q", "text": "Viettel data centers"}', '{"id": "r", "question": "What is a GPU?"}']
    file.write_text("\n".join(rows), encoding="utf-8")
    done = run("search", "--batch", str(file), "-k", "3", "--json", home=shipped_home)
    row, other = map(json.loads, done.stdout.splitlines())
    assert row["id"] == "q"
    assert other["id"] == "r"
    assert len(row["passages"]) == 3
    assert all(p["end"] - p["start"] == len(p["text"]) for p in row["passages"])
    assert "Viettel" in row["passages"][0]["text"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ask", ""), "the question is empty"),
        (("ask", "x" * 8001), "8,001 characters"),
        (("ask",), "the question is missing"),
        (("ask", "--batch", "/no/such/file.jsonl"), "/no/such/file.jsonl"),
        (("ask", "q", "--batch", "f"), "not both"),
        (("search", "x", "-k", "0"), "-k"),
        (("search",), "query"),
        (("nonsense",), "nonsense"),
        (("chat", "--port", "99999999"), "port"),
    ],
)
def test_wrong_usage_is_one_line_and_exits_with_2(shipped_home: Path, arguments: tuple[str, ...], says: str) -> None:
    done = run(*arguments, home=shipped_home)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


@pytest.mark.parametrize("row", ["{", "[1]", '{"id": 1}', '{"question": 5}', '{"question": "x", "history": "y"}'])
def test_a_malformed_row_is_named_by_its_line(shipped_home: Path, tmp_path: Path, row: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"question": "hello"}\n' + row + "\n", encoding="utf-8")
    done = run("ask", "--batch", str(file), "--json", home=shipped_home)
    assert done.returncode == 2
    assert "line 2" in done.stderr
    assert done.stdout == ""


def test_a_missing_index_says_how_to_build_it(tmp_path: Path) -> None:
    done = run("ask", "How many data centers does Viettel operate?", home=tmp_path)
    assert done.returncode == 1
    assert "gapbot index" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_corpus_has_its_own_index(shipped_home: Path, tmp_path: Path) -> None:
    (tmp_path / "rivers.txt").write_text("The Mekong is 4,350 km long. It rises in Tibet.", encoding="utf-8")
    first = run("--corpus", str(tmp_path), "index", home=shipped_home)
    second = run("--corpus", str(tmp_path), "index", "--json", home=shipped_home)
    assert first.returncode == 0
    assert json.loads(second.stdout)["encoded"] == 0
    done = run("--corpus", str(tmp_path), "ask", "How long is the Mekong?", "--json", home=shipped_home)
    assert json.loads(done.stdout)["short"] == "4,350 km"
    again = run("ask", "How many data centers does Viettel operate?", "--json", home=shipped_home)
    assert json.loads(again.stdout)["status"] == "answered"


def test_eval_reports_by_kind_and_lists_what_failed(shipped_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    rows = [
        {
            "id": "1",
            "kind": "fact",
            "question": "How many data centers does Viettel operate?",
            "gold": ["15"],
            "evidence": ["Viettel"],
        },
        {"id": "2", "kind": "far", "question": "How do I bake sourdough bread?", "answerable": False},
        {"id": "3", "kind": "fact", "question": "How many data centers does Viettel operate?", "gold": ["never"]},
    ]
    file.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    result = json.loads(run("eval", str(file), "--json", home=shipped_home).stdout)
    fact = result["kinds"]["fact"]
    assert {k: fact[k] for k in ("questions", "right", "wrong", "refused")} == {
        "questions": 2, "right": 1, "wrong": 1, "refused": 0
    }  # fmt: skip
    assert result["kinds"]["far"]["right"] == 1
    assert [r["id"] for r in result["rows"] if r["verdict"] != "right"] == ["3"]
    assert result["broken_citations"] == 0
    table = run("eval", str(file), home=shipped_home)
    assert "2 of 3 right" in table.stdout


def test_a_question_may_follow_earlier_ones(shipped_home: Path) -> None:
    done = run(
        *("ask", "--json", "--history", "How many AI models did the United States release in 2024?", "and China?"),
        home=shipped_home,
    )
    assert "China" in json.loads(done.stdout)["read_as"]
