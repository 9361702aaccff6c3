"""The sections of a model card: text and tables for people, the same numbers for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from malaria import report
from malaria.report import Table

Block = str | Table


@dataclass(frozen=True)
class Section:
    """name: for programs. blocks: Markdown paragraphs and tables, in order. values: what the text tells, as
    JSON holds it. measured: False where the section could only say that its numbers are not there."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    measured: bool = True

    @property
    def text(self) -> str:
        """Markdown, without the title."""
        return "\n\n".join(map(_markdown, self.blocks))


def _markdown(block: Block) -> str:
    if isinstance(block, str):
        return block
    head = [f"**{block.title}**"] if block.title else []
    return "\n\n".join([*head, report.grid(block.columns, block.rows), *([block.note] if block.note else [])])


def facts(pairs: Iterable[tuple[str, object]], title: str = "") -> Table:
    """Names and values below each other; pairs without a value are left out."""
    return Table(title, ("", ""), [pair for pair in pairs if pair[1] not in (None, "", [], {})])


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    told = list(names)
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def many(count: int, one: str, more: str = "") -> str:
    """`1 cell`, `1,200 cells`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def share(value: float) -> str:
    """A rate in a sentence: `0.976`."""
    return f"{value:.3f}"


def between(interval: tuple[float, float] | None) -> str:
    """` (0.930 to 0.985)`, or nothing where there is none."""
    return f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""


def flat(told: Mapping[str, Any], before: str = "") -> dict[str, object]:
    """Nested values by dotted name, sorted; a list in one cell."""
    found: dict[str, object] = {}
    for name, value in sorted(told.items()):
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        elif isinstance(value, list | tuple):
            found[before + name] = ", ".join(map(_inline, value))
        else:
            found[before + name] = f"{value:g}" if isinstance(value, float) else value
    return found


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_inline(of)}" for name, of in sorted(value.items()))
    return f"{value:g}" if isinstance(value, float) else str(value)
