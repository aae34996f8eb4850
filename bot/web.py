"""The Gradio page: a chat on one side, the sources of the chosen answer on the other. The one user of gradio."""

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from bot.answer import Answer, Question, check_question
from bot.chain import Chain
from bot.markup import PAGE, Turn, render_frame, render_message, render_sources, render_transcript, restored
from corpus.errors import GapbotError

# Gradio reads this when it is imported, and would otherwise report every launch to its makers.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio as gr

_BROKEN = "Something went wrong here, and no answer came. Try again, or ask in other words."
_log = logging.getLogger(__name__)


class Chat:
    """The chat of one visitor: its turns, and how the answer under way is told to end.

    While an answer is under way, `ask` alone writes to the page: `halt` ends it, and with `leaving` it ends in a new
    chat. Two handlers that write at once would overtake each other. Gradio copies the initial value of a state for
    each visitor; a copy is a new chat.
    """

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.halt = threading.Event()
        self.idle = threading.Event()
        self.idle.set()
        self.leaving = False

    def __deepcopy__(self, memo: Any) -> "Chat":
        return Chat()


class Shown(NamedTuple):
    """What one step of a handler shows, in the order of the page's outputs; `gr.skip()` leaves a part as it is."""

    chat: Any
    transcript: Any
    sources: Any
    question: Any
    message: Any
    ask: Any
    stop: Any


class Conversation:
    """The handlers of the page over one chain. No visitor's turns are held here: their chat comes with each call."""

    def __init__(self, chain: Chain, on_answer: Callable[[Answer], None] | None = None) -> None:
        """Talk over a chain; `on_answer` sees every answer that has been shown whole."""
        self.chain = chain
        self._on_answer = on_answer or (lambda answer: None)

    def show(self, chat: Chat, sources: Any, typed: Any = None, message: Any = None) -> Shown:
        """Return the page for a chat; None leaves the question box and the message as they are."""
        asking = bool(chat.turns) and chat.turns[-1].phase == "asking"
        return Shown(
            chat=chat,
            transcript=render_transcript(chat.turns),
            sources=sources,
            question=gr.skip() if typed is None else typed,
            message=gr.skip() if message is None else render_message(message),
            ask=gr.update(visible=not asking),
            stop=gr.update(visible=asking),
        )

    def ask(self, typed: str, chat: Chat, event: gr.EventData) -> Iterator[Shown]:
        """Answer what was typed, or what a button of the page asks for, as the answer grows.

        A button says `question`, and perhaps `as_typed`, or `retry`; with `at`, a place among the turns, the chat
        goes on from there: asked twice at one place, a question stands once. `restore` brings back the turns that a
        browser has kept.
        """
        data: dict[str, Any] = event._data if isinstance(event._data, dict) else {}
        try:
            if "restore" in data:
                chat.turns = restored(data["restore"])
                yield self.show(chat, self._sources(chat, len(chat.turns)), message="")
                return
            turn, before = self._asked(typed, data, chat)
            question = Question(turn.question, tuple(t.question for t in before), as_typed=turn.as_typed)
            check_question(question)
        except GapbotError as e:
            skip = gr.skip()
            yield Shown(skip, skip, skip, skip, render_message(str(e)), skip, skip)
            return
        chat.turns, chat.halt, chat.leaving = [*before, turn], threading.Event(), False
        chat.idle.clear()
        try:
            # A question from a button leaves alone what someone is typing.
            yield self.show(chat, gr.skip(), typed=None if data else "", message="")
            yield from self._answer(question, chat)
        finally:
            chat.idle.set()

    def _asked(self, typed: str, data: dict[str, Any], chat: Chat) -> tuple[Turn, list[Turn]]:
        """Return the turn that is asked for, and those before it."""
        at, pressed = data.get("at"), data.get("question")
        if data.get("retry") and chat.turns:
            return replace(chat.turns[-1], phase="asking", answer=None, error=None), chat.turns[:-1]
        before = chat.turns[: at - 1] if isinstance(at, int) and 0 < at <= len(chat.turns) else chat.turns
        text = (pressed if isinstance(pressed, str) else typed or "").strip()
        return Turn(text, as_typed=data.get("as_typed") is True), before

    def sources(self, chat: Chat, event: gr.EventData) -> Any:
        """Return the sources of an earlier turn, which the browser has not kept."""
        data = event._data if isinstance(event._data, dict) else {}
        number = data.get("turn")
        return self._sources(chat, number if isinstance(number, int) and 0 < number <= len(chat.turns) else 0)

    def _sources(self, chat: Chat, number: int) -> str:
        answer = chat.turns[number - 1].answer if number else None
        return render_sources(answer, number if answer else 0, self.chain.source)

    def _answer(self, question: Question, chat: Chat) -> Iterator[Shown]:
        """Show the last turn of a chat as its answer grows, and how it ends."""
        turn = chat.turns[-1]
        sources = gr.skip()
        try:
            for answer in until(chat.halt, self.chain.stream(question)):
                turn = chat.turns[-1] = replace(turn, answer=answer)
                yield self.show(chat, sources)
            turn = replace(turn, phase="stopped" if chat.halt.is_set() else "done")
            if turn.answer and turn.phase == "done":
                self._on_answer(turn.answer)
            if turn.answer:
                sources = render_sources(turn.answer, len(chat.turns), self.chain.source)
        except GapbotError as e:
            turn = replace(turn, phase="done", answer=None, error=str(e))
        except Exception:
            _log.exception("a question could not be answered")
            turn = replace(turn, phase="done", answer=None, error=_BROKEN)
        chat.turns[-1] = turn
        yield self._new(chat) if chat.leaving else self.show(chat, sources)

    def stop(self, chat: Chat) -> None:
        """Halt the answer under way; `ask` then shows what has come of it."""
        chat.halt.set()

    def clear(self, chat: Chat) -> Shown:
        """Begin a new chat, with no earlier questions."""
        busy = not chat.idle.is_set()
        chat.leaving = True
        chat.halt.set()
        # What was shown whole already goes here: `ask` looks at `leaving` no more.
        if busy and chat.idle.wait(2) and not chat.turns:
            return Shown(*[gr.skip()] * len(Shown._fields))
        return self._new(chat)

    def _new(self, chat: Chat) -> Shown:
        chat.turns = []
        return self.show(chat, render_sources(None, 0, self.chain.source), typed="", message="")


def until(halt: threading.Event, answers: Iterator[Answer]) -> Iterator[Answer]:
    """Yield answers as they come; return as soon as `halt` is set, even while the next one is awaited."""
    came: queue.Queue[Answer | Exception | None] = queue.Queue()
    gone = threading.Event()

    def read() -> None:
        try:
            for answer in answers:
                came.put(answer)
                if halt.is_set() or gone.is_set():
                    return
            came.put(None)
        except Exception as e:
            came.put(e)

    threading.Thread(target=read, name="gapbot-answer", daemon=True).start()
    try:
        while not halt.is_set():
            try:
                item = came.get(timeout=0.05)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        # Who closes the page ends the iteration here: nothing more is read, or paid for.
        gone.set()


def build_page(chain: Chain, on_answer: Callable[[Answer], None] | None = None) -> gr.Blocks:
    """Build the page over a chain. Every visitor has a chat of their own in `gr.State`."""
    talk = Conversation(chain, on_answer)
    start = talk.clear(Chat())
    scripts = {name: (PAGE / f"{name}.js").read_text("utf-8") for name in ("transcript", "sources")}
    page = gr.Blocks(title="gapbot", analytics_enabled=False, fill_width=True, fill_height=True)
    with page:
        chat = gr.State(Chat())
        with gr.Row(elem_id="top"):
            gr.HTML(render_frame("header", chain.profile.headline), elem_id="name", apply_default_css=False)
            new = gr.Button("New chat", elem_id="new", size="sm", min_width=0)
        with gr.Row(elem_id="main"):
            with gr.Column(elem_id="chat"):
                transcript = _html(start.transcript, "transcript", scripts["transcript"])
                with gr.Row(elem_id="composer"):
                    question = gr.Textbox(
                        label="Your question", show_label=False, container=False, max_lines=8, elem_id="question",
                        placeholder="Ask a question", autofocus=True,
                    )  # fmt: skip
                    ask = gr.Button("Ask", variant="primary", elem_id="ask", min_width=0)
                    stop = gr.Button("Stop", elem_id="stop", visible=False, min_width=0)
                message = _html(render_message(), "message", None)
            with gr.Column(elem_id="side"):
                sources = _html(start.sources, "sources", scripts["sources"])
        gr.HTML((PAGE / "places.html").read_text("utf-8"), elem_id="places", apply_default_css=False)
        shown = Shown(chat, transcript, sources, question, message, ask, stop)
        quiet: dict[str, Any] = {"outputs": list(shown), "show_progress": "hidden", "api_visibility": "private"}
        # One event for all ways of asking, so that "once" keeps a second question out while one is answered.
        gr.on(
            [question.submit, ask.click, transcript.select],
            talk.ask, [question, chat], trigger_mode="once", concurrency_limit=16, **quiet,
        )  # fmt: skip
        sources.select(talk.sources, [chat], [sources], show_progress="hidden", api_visibility="private")
        stop.click(talk.stop, chat, None, queue=False, show_progress="hidden", api_visibility="private")
        new.click(talk.clear, chat, concurrency_limit=None, **quiet)
    page.queue(max_size=256)
    return page


def _html(value: str, name: str, script: str | None) -> gr.HTML:
    # The template stays the bare default: Gradio fills a template's {{…}} in first and then runs the result as a
    # JavaScript template string, so that "${…}" in a document would be executed. A bare ${value} is not run again.
    return gr.HTML(value, elem_id=name, html_template="${value}", js_on_load=script, apply_default_css=False)


def mount_page(app: Any, chain: Chain, on_answer: Callable[[Answer], None] | None = None) -> None:
    """Mount the page at the root of a FastAPI app that serves the folder `PAGE` at /page; `on_answer` sees its answers."""
    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
        body_background_fill="#f8f7f4", body_background_fill_dark="#14161a",
        body_text_color="#1d1f23", body_text_color_dark="#e9e7e2",
    )  # fmt: skip
    gr.mount_gradio_app(
        app, build_page(chain, on_answer), path="/", theme=theme, head=render_frame("head", chain.profile.headline),
        favicon_path=str(PAGE / "favicon.svg"), run_history=False, footer_links=[], show_error=False, ssr_mode=False,
        max_file_size=1, pwa=False, enable_monitoring=False, mcp_server=False,
    )  # fmt: skip
