"""What a person sees: answers on stdout, everything else on stderr; colours and bars only on a terminal."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from malaria.domain import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from malaria.report import Table as Titled

Report = Callable[[Progress], None]
PLAIN_WIDTH = 160
"""Columns of a table that goes into a file or a pipe, where there is no terminal to ask."""


def stdout() -> "Console":
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def note(text: str) -> None:
    """A remark for a person, on stderr."""
    from rich.text import Text

    stderr().print(Text(text))


def problem(text: str) -> None:
    """What went wrong, as one line on stderr."""
    from rich.text import Text

    line = " ".join(printable(text).split())
    stderr().print(Text.assemble(("error: ", "bold red"), line))


def print_json(value: Any) -> None:
    """ASCII only, so that odd file names survive any terminal and any locale."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def printable(text: str) -> str:
    """Text from outside, such as a file name, without the characters that would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print a table; `right` names the columns that are aligned to the right. A cell may be a Rich Text."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    built = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        built.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        built.add_row(*(_cell(value) for value in row))
    _show(built)


def tables(of: "Iterable[Titled]") -> None:
    """Print tables below each other, each with its title above it and its note, if any, below."""
    for one in of:
        sys.stdout.write(f"\n{one.title}\n")
        table(one.columns, one.rows)
        if one.note:
            sys.stdout.write(f"{one.note}\n")


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values below each other; pairs without a value are left out."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value is not None and value != "":
            grid.add_row(name, _cell(value))
    _show(grid)


def _show(table: "Table") -> None:
    console = stdout()
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as caught:
        console.print(table)
    for line in caught.get().splitlines():  # a pipe needs no padding on the right
        sys.stdout.write(line.rstrip() + "\n")


def _cell(value: object) -> Any:
    from rich.text import Text

    if isinstance(value, Text):
        return value
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, datetime):
        return Text(value.astimezone().strftime("%Y-%m-%d %H:%M:%S"))
    if isinstance(value, float):
        return Text(f"{value:.4f}")
    return Text(printable(str(value)))


@contextlib.contextmanager
def progress(*, lines: bool = True) -> Iterator[Report]:
    """Show progress on stderr: a bar on a terminal, else a line now and then, or nothing without `lines`."""
    console = stderr()
    if not console.is_terminal:
        yield _Lines() if lines else _nothing
        return
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
    )
    with Bar(*columns, TextColumn("{task.fields[eta]}"), console=console, transient=True) as bar:
        task = bar.add_task("", total=None, eta="")
        clock = _Eta()

        def show(at: Progress) -> None:
            total = None if at.percent is None else 100
            bar.update(task, description=describe(at), total=total, completed=at.percent or 0, eta=clock(at))

        yield show


def describe(at: Progress) -> str:
    """`train 3/9, loss 0.1812, validation loss 0.1903`."""
    parts = [at.step if at.epoch is None else f"{at.step} {at.epoch}/{at.epochs or '?'}"]
    if at.loss is not None:
        parts.append(f"loss {at.loss:.4f}")
    if at.validation_loss is not None:
        parts.append(f"validation loss {at.validation_loss:.4f}")
    if at.message:
        parts.append(printable(at.message))
    return ", ".join(parts)


def _nothing(at: Progress) -> None:
    """Where a pipe reads the answers, nothing else should be said."""


class _Eta:
    """Time left: as the work itself says, else by its pace since the step began."""

    def __init__(self) -> None:
        self._step, self._began, self._percent = "", 0.0, 0.0

    def __call__(self, at: Progress) -> str:
        now, percent = time.monotonic(), at.percent or 0.0
        if at.step != self._step or percent < self._percent:  # the same step of other work: begun anew
            self._step, self._began = at.step, now
        self._percent = percent
        if at.percent is not None and at.percent < 1:
            return ""  # too early to tell
        left = at.eta
        if left is None and at.percent is not None and at.percent > 2:
            left = (now - self._began) * (100 - at.percent) / at.percent
        return f"{span(left)} left" if left else ""


def span(seconds: float) -> str:
    """`0:42`, `1:02:03`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


class _Lines:
    """A line when the step, the epoch or the tenth part changes; within a step, two seconds apart."""

    def __init__(self) -> None:
        self._last: tuple[object, ...] = ()
        self._told = 0.0
        self._eta = _Eta()

    def __call__(self, at: Progress) -> None:
        left = self._eta(at)
        mark = (at.step, at.epoch, None if at.percent is None else int(at.percent) // 10, at.validation_loss)
        soon = self._last[:1] == mark[:1] and time.monotonic() - self._told < 2
        if mark == self._last or (soon and at.validation_loss is None):
            return
        self._last, self._told = mark, time.monotonic()
        percent = "" if at.percent is None else f"{at.percent:3.0f}%  "
        note(f"{percent}{describe(at)}" + (f", {left}" if left else ""))
