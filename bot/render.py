"""Answers, passages and progress in a terminal: colour and wrapping there, plain text in a pipe or with NO_COLOR."""

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from bot.answer import Answer, Citation
from bot.compose import DIFFER
from bot.config import Settings
from bot.indexing import update_index
from index.build import Summary
from index.retriever import Evidence

if TYPE_CHECKING:
    from index.cluster import Cluster

_WIDTH = 100


def _console(to_stderr: bool = False) -> Console:
    stream = sys.stderr if to_stderr else sys.stdout
    width = min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)
    return Console(file=stream, width=width, highlight=False, soft_wrap=not stream.isatty(), emoji=False)


def print_answer(answer: Answer, *, asked: bool = False) -> None:
    """Print an answer: the short answer in bold, the text, then the sources with publisher, date and link.

    With `asked`, the question stands above and a blank line below, as one of several.
    """
    console = _console()
    if asked:
        console.print(f"[bold cyan]{escape(' '.join(answer.question.split()))}[/bold cyan]")
    if answer.read_as:
        console.print(f"[dim]I read this as: {escape(answer.read_as)}[/dim]")
    if answer.short:
        console.print(f"[bold green]{escape(answer.short)}[/bold green]")
    for paragraph in answer.text.split("\n\n"):
        # What differs is told below, figure beside figure.
        if not (answer.conflicts and paragraph.startswith(DIFFER)):
            console.print(_with_markers(paragraph))
    if answer.notice:
        console.print(f"[yellow]{escape(answer.notice)}[/yellow]")
    if answer.tokens:
        t = answer.tokens
        about = "about " if t.estimated else ""
        console.print(f"[dim]LLM: {about}{t.sent} tokens sent, {t.received} received[/dim]")
    for conflict in answer.conflicts:
        sides = "; ".join(f"{s.value}{f' ({s.date})' if s.date else ''} [{s.marker}]" for s in conflict.sides)
        console.print(f"[yellow]Sources differ on {escape(conflict.subject)}:[/yellow] {escape(sides)}")
    if answer.citations:
        console.print("\n[bold]Sources[/bold]")
        for same in _by_source(answer.citations):
            _print_source(console, same)
    if answer.closest:
        console.print("\n[bold]Closest passages – not an answer[/bold]")
        for citation in answer.closest:
            _print_source(console, [citation], quote=True)
    if answer.choices:
        console.print("\n[bold]You can ask[/bold]")
        for choice in answer.choices:
            console.print(f"  • {escape(choice)}")
    if asked:
        console.print()


def print_passages(found: Sequence[Evidence]) -> None:
    """Print retrieved passages, best first, with their place in their document."""
    console = _console()
    if not found:
        console.print("Nothing found.")
    for number, e in enumerate(found, start=1):
        place = f"{e.document.id}:{e.passage.start}-{e.passage.end}"
        console.print(
            f"[bold]{number}.[/bold] [cyan]{escape(e.document.title)}[/cyan] [dim]{escape(place)}  {e.score:.3f}[/dim]"
        )
        console.print(textwrap.indent(escape(" ".join(e.text.split())), "   "))


def build_index(config: Settings, *, rebuild: bool = False, ray: str | None = None) -> Summary:
    """Bring the index up to date, with a progress bar on standard error; on the Ray cluster at an address, if given."""
    if ray:
        from index.cluster import connected

        print("Connecting to Ray…", file=sys.stderr, flush=True)
        with connected(ray) as cluster:
            return _build(config, rebuild, cluster)
    return _build(config, rebuild)


def _build(config: Settings, rebuild: bool, cluster: "Cluster | None" = None) -> Summary:
    console = _console(to_stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Starting", total=None)
        said: set[str] = set()

        def report(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)
            if not console.is_terminal and stage not in said:
                said.add(stage)
                print(f"{stage}…", file=sys.stderr, flush=True)

        return update_index(config, report, rebuild=rebuild, cluster=cluster)


def print_summary(summary: Summary, *, to_stderr: bool = False) -> None:
    """Print what an indexing run did, each refused document with its reason."""
    console = _console(to_stderr)
    counts = f"{len(summary.added)} added, {len(summary.changed)} changed, {len(summary.removed)} removed, {summary.unchanged} unchanged"
    g = summary.generation
    console.print(f"Documents: {counts}, {len(summary.refused)} refused. Texts encoded: {summary.encoded}.")
    console.print(
        f"The index holds {g.documents} documents, {g.passages} passages, {g.sentences} sentences ({g.name})."
    )
    if not g.documents:
        console.print(f"[yellow]{escape(g.corpus)} holds no document: put some there, or `gapbot add` them.[/yellow]")
    for refusal in summary.refused:
        console.print(f"  [yellow]refused[/yellow] {escape(str(refusal.path))}: {escape(refusal.reason)}")


def _by_source(citations: Sequence[Citation]) -> list[list[Citation]]:
    """Return citations in groups of one document, page and note: a line says all of it."""
    groups: dict[tuple[str, int | None, str | None], list[Citation]] = {}
    for c in citations:
        groups.setdefault((c.document, c.page, c.note), []).append(c)
    return list(groups.values())


def _print_source(console: Console, citations: Sequence[Citation], *, quote: bool = False) -> None:
    """Print the source that citations share: markers, title and place, then its note and link."""
    c = citations[0]
    markers = " ".join(f"[cyan]\\[{c.marker}][/cyan]" for c in citations)
    parts = [c.title, c.page and f"p. {c.page}", c.publisher, c.date]
    console.print(f"{markers} " + escape(" · ".join(p for p in parts if p)))
    if quote:
        console.print("    " + escape(" ".join(c.quote.split())))
    if c.note:
        console.print(f"    [dim]Note: {escape(c.note)}[/dim]")
    if c.url:
        console.print(f"    [dim]{escape(c.url)}[/dim]")


def _with_markers(text: str) -> Text:
    styled = Text(text)
    styled.highlight_regex(r"\[\d+\]", "cyan")
    return styled
