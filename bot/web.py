"""The Gradio page: a chat on one side, the sources of the chosen answer on the other. The one user of gradio."""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from bot.answer import Question
from bot.chain import Chain, check_question
from bot.markup import PAGE, Turn, render_message, render_sources, render_transcript
from corpus.errors import GapbotError

# Gradio reads this when it is imported, and would otherwise report every launch to its makers.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio as gr

_BROKEN = "Something went wrong here, and no answer came. Try again, or ask in other words."
_log = logging.getLogger(__name__)


class Shown(NamedTuple):
    """What one step of a handler shows, in the order of the page's outputs; `gr.skip()` leaves a part as it is."""

    turns: Any
    transcript: Any
    sources: Any
    question: Any
    message: Any
    ask: Any
    stop: Any


class Conversation:
    """The handlers of the page over one chain. No session is held here: its turns come and go with each call."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def show(self, turns: Sequence[Turn], sources: Any, typed: Any = None, message: Any = None) -> Shown:
        """Return the page for these turns; None leaves the question box and the message as they are."""
        asking = bool(turns) and turns[-1].phase == "asking"
        return Shown(
            turns=list(turns),
            transcript=render_transcript(turns, () if turns else self.chain.starters),
            sources=sources,
            question=gr.skip() if typed is None else typed,
            message=gr.skip() if message is None else render_message(message),
            ask=gr.update(visible=not asking),
            stop=gr.update(visible=asking),
        )

    def ask(self, typed: str, turns: list[Turn], event: gr.EventData) -> Iterator[Shown]:
        """Answer what was typed, the question of a pressed button, or the last question again, as the answer grows."""
        data = event._data if isinstance(event._data, dict) else {}
        pressed = data.get("question")
        if data.get("retry") and turns:
            text, before = turns[-1].question, turns[:-1]
        else:
            text, before = (pressed if isinstance(pressed, str) else typed or "").strip(), list(turns)
        question = Question(text, history=tuple(t.question for t in before))
        try:
            check_question(question)
        except GapbotError as e:
            skip = gr.skip()
            yield Shown(skip, skip, skip, skip, render_message(str(e)), skip, skip)
            return
        # A question from a button leaves alone what someone is typing.
        yield self.show([*before, Turn(text)], gr.skip(), typed=None if data else "", message="")
        answer = None
        try:
            for answer in self.chain.stream(question):
                yield self.show([*before, Turn(text, answer=answer)], gr.skip())
            sources = render_sources(answer, len(before) + 1, self.chain.source)
        except GapbotError as e:
            yield self.show([*before, Turn(text, "done", error=str(e))], gr.skip())
        except Exception:
            _log.exception("a question could not be answered")
            yield self.show([*before, Turn(text, "done", error=_BROKEN)], gr.skip())
        else:
            yield self.show([*before, Turn(text, "done", answer)], sources)

    def stop(self, turns: list[Turn]) -> Shown:
        """Keep what has come of the answer under way."""
        if not turns or turns[-1].phase != "asking":
            return self.show(turns, gr.skip())
        last = turns[-1]
        return self.show(
            [*turns[:-1], Turn(last.question, "stopped", last.answer)],
            render_sources(last.answer, len(turns), self.chain.source) if last.answer else gr.skip(),
        )

    def clear(self) -> Shown:
        """Begin a new chat, with no earlier questions."""
        return self.show([], render_sources(None, 0, self.chain.source), typed="", message="")


def build_page(chain: Chain) -> gr.Blocks:
    """Build the page over a chain. Every visitor has turns of their own in `gr.State`."""
    talk = Conversation(chain)
    start = talk.clear()
    scripts = {name: (PAGE / f"{name}.js").read_text("utf-8") for name in ("transcript", "sources")}
    page = gr.Blocks(title="gapbot", analytics_enabled=False, fill_width=True, fill_height=True)
    with page:
        turns = gr.State([])
        with gr.Row(elem_id="top"):
            gr.HTML((PAGE / "header.html").read_text("utf-8"), elem_id="name", apply_default_css=False)
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
        shown = Shown(turns, transcript, sources, question, message, ask, stop)
        quiet: dict[str, Any] = {"outputs": list(shown), "show_progress": "hidden", "api_visibility": "private"}
        # One event for all ways of asking, so that "once" keeps a second question out while one is answered.
        asked = gr.on(
            [question.submit, ask.click, transcript.select],
            talk.ask, [question, turns], trigger_mode="once", concurrency_limit=16, **quiet,
        )  # fmt: skip
        stop.click(talk.stop, turns, cancels=[asked], queue=False, **quiet)
        new.click(talk.clear, None, cancels=[asked], queue=False, **quiet)
    page.queue(max_size=256)
    return page


def _html(value: str, name: str, script: str | None) -> gr.HTML:
    # The template stays the bare default: Gradio fills a template's {{…}} in first and then runs the result as a
    # JavaScript template string, so that "${…}" in a document would be executed. A bare ${value} is not run again.
    return gr.HTML(value, elem_id=name, html_template="${value}", js_on_load=script, apply_default_css=False)


def mount_page(app: Any, chain: Chain) -> None:
    """Mount the page at the root of a FastAPI app that serves the folder `PAGE` at /page."""
    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
        body_background_fill="#f8f7f4", body_background_fill_dark="#14161a",
        body_text_color="#1d1f23", body_text_color_dark="#e9e7e2",
    )  # fmt: skip
    gr.mount_gradio_app(
        app, build_page(chain), path="/", theme=theme, head=(PAGE / "head.html").read_text("utf-8"),
        favicon_path=str(PAGE / "favicon.svg"), run_history=False, footer_links=[], show_error=False, ssr_mode=False,
        max_file_size=1, pwa=False, enable_monitoring=False, mcp_server=False,
    )  # fmt: skip
