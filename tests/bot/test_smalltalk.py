import pytest

from bot.smalltalk import small_talk


@pytest.mark.parametrize(
    "text", ["hello", "Hi there!", "Thanks a lot", "what can you do?", "Xin chào", "bye", "ok, thank you!"]
)
def test_small_talk_gets_a_reply(text: str) -> None:
    assert small_talk(text)


@pytest.mark.parametrize(
    "text", ["hello kitty revenue", "What can Vietnam do?", "thanks to whom did exports grow?", "help for SMEs"]
)
def test_a_question_is_not_small_talk(text: str) -> None:
    assert small_talk(text) is None
