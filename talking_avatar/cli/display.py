"""What a terminal shows of jobs: a live table while they run, and one of results at the end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from talking_avatar.models.results import RenderStatus

__all__ = ["Row", "live_table", "result_table"]

_STYLE = {RenderStatus.FINISHED: "green", RenderStatus.FAILED: "red", RenderStatus.PROCESSING: "cyan"}


@attrs.define(kw_only=True)
class Row:
    """One job as the table shows it."""

    name: str
    ref: str = ""
    status: RenderStatus = RenderStatus.PENDING
    began: float
    ended: float | None = None
    progress: float | None = None
    path: Path | None = None
    error: str = ""

    def seconds(self, now: float) -> float:
        return (self.ended or now) - self.began


@contextmanager
def live_table(console: Console, rows: Sequence[Row], now: Callable[[], float]) -> Iterator[None]:
    """A table that redraws itself while the block runs; *now* is called for the time."""
    with Live(get_renderable=lambda: _running(rows, now()), console=console, refresh_per_second=8):
        yield
    if not console.is_terminal:
        console.print()  # rich ends a live display without a line feed there


def _running(rows: Sequence[Row], now: float) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "product", "status", "progress", "seconds"):
        table.add_column(
            heading, justify="right" if heading == "seconds" else "left", style="bold" if not heading else None
        )
    for row in rows:
        table.add_row(
            _mark(row),
            row.name,
            Text(row.status, style=_STYLE.get(row.status, "dim")),
            _bar(row),
            f"{row.seconds(now):.1f}",
        )
    return table


def _mark(row: Row) -> RenderableType:
    if row.error or row.status is RenderStatus.FAILED:
        return Text("✗", style="red")
    return Spinner("dots") if row.ended is None else Text("✓", style="green")


def _bar(row: Row) -> RenderableType:
    if row.status is RenderStatus.FINISHED:
        return ProgressBar(total=100, completed=100, width=20)
    # Surreal gives no percentages, so its bar only shows that something moves.
    return ProgressBar(total=100, completed=row.progress or 0, width=20, pulse=row.progress is None)


def result_table(rows: Sequence[Row], now: float) -> Table:
    """Job, status, seconds, size, path."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("job", "status", "seconds", "size"):
        table.add_column(heading, justify="right" if heading in {"seconds", "size"} else "left", no_wrap=True)
    table.add_column("path", overflow="fold")
    for row in rows:
        size = f"{row.path.stat().st_size / 1024:.0f} K" if row.path else ""
        status = Text(row.status, style=_STYLE.get(row.status, ""))
        table.add_row(
            row.ref.partition(":")[0] or row.name, status, f"{row.seconds(now):.1f}", size, str(row.path or row.error)
        )
    return table
