"""Many cells on one picture, each with its name below it, for a person to look through."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont, ImageOps

from malaria import cells, preprocess, suspects
from malaria.audit import Doubt
from malaria.domain import Label, Progress
from malaria.errors import BadInput
from malaria.ports import Report

SIDE = 128
"""Pixels across a cell on the sheet: about the native size of a NIH crop."""
MARGIN = 8
LINE = 11
PRINT = 9
"""Size of the small print, in pixels."""
LETTERS = 24
"""Letters of the small print that fit below a cell."""
INK, PAPER = "black", "white"


@dataclass(frozen=True)
class Tile:
    """A cell on the sheet: its picture, if it could be read, and the lines below it."""

    image: Image.Image | None
    lines: Sequence[str]


@dataclass(frozen=True)
class Block:
    """Tiles under a heading."""

    title: str
    tiles: Sequence[Tile]


def of_doubts(
    doubts: Sequence[Doubt], data: Iterable[Path], each: int, listed: Collection[suspects.Key], report: Report
) -> Image.Image:
    """A sheet of the `each` most doubtful cells of either class, read from ZIPs or folders of labelled cells.

    Below each cell stand its name, the probability of a parasite, and a star where `listed` names it.

    Raises:
        BadInput: the data hold none of them.
    """
    shown = {label: [doubt for doubt in doubts if doubt.label == label][:each] for label in Label}
    wanted = {doubt.key for chosen in shown.values() for doubt in chosen}
    found = _pictures(data, wanted, report)
    if wanted and not found:
        raise BadInput("The data hold none of the doubted cells. Name the ZIPs that were cross-validated.")
    blocks = []
    for label in reversed(Label):
        total = sum(doubt.label == label for doubt in doubts)
        title = f"labelled {label.text}: the {len(shown[label])} most doubtful of {total}"
        blocks.append(Block(title, [_tile(doubt, found, listed) for doubt in shown[label]]))
    return sheet(blocks)


def _pictures(
    data: Iterable[Path], wanted: Collection[suspects.Key], report: Report
) -> dict[suspects.Key, Image.Image]:
    found: dict[suspects.Key, Image.Image] = {}
    for source in data:
        for cell, content in cells.read(source):
            key = suspects.key(cell.label, cell.name)
            if key in wanted and key not in found:
                found[key] = preprocess.decode(content)
                percent = 100.0 * len(found) / len(wanted)
                report(Progress("sheet", percent=percent, message=f"{len(found)} of {len(wanted)} cells"))
    return found


def _tile(doubt: Doubt, found: dict[suspects.Key, Image.Image], listed: Collection[suspects.Key]) -> Tile:
    star = " *" if doubt.key in listed else ""
    name = wrap(doubt.cell, LETTERS)[:2]
    return Tile(found.get(doubt.key), [*name, *[""] * (2 - len(name)), f"p {doubt.probability:.3f}{star}"])


def sheet(blocks: Sequence[Block], columns: int = 8) -> Image.Image:
    """Draw the blocks below each other, `columns` tiles in a row. Cells keep their proportions."""
    lines = max((len(tile.lines) for block in blocks for tile in block.tiles), default=0)
    step_x, step_y = SIDE + MARGIN, SIDE + MARGIN + LINE * lines
    rows = [-(-len(block.tiles) // columns) for block in blocks]
    height = MARGIN + sum(2 * LINE + row * step_y for row in rows)
    page = Image.new("RGB", (MARGIN + columns * step_x, height), PAPER)
    draw, top = ImageDraw.Draw(page), MARGIN
    for block, row in zip(blocks, rows, strict=True):
        draw.text((MARGIN, top), block.title, INK, ImageFont.load_default(PRINT + 3))
        top += 2 * LINE
        for i, tile in enumerate(block.tiles):
            _place(page, draw, tile, (MARGIN + i % columns * step_x, top + i // columns * step_y))
        top += row * step_y
    return page


def _place(page: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, at: tuple[int, int]) -> None:
    x, y = at
    if tile.image is None:
        draw.rectangle((x, y, x + SIDE - 1, y + SIDE - 1), outline=INK)
    else:
        page.paste(ImageOps.pad(tile.image, (SIDE, SIDE), color=PAPER), at)
    font = ImageFont.load_default(PRINT)
    for number, line in enumerate(tile.lines):
        draw.text((x, y + SIDE + number * LINE), _fitted(draw, line, font), INK, font)


def _fitted(draw: ImageDraw.ImageDraw, line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    while line and draw.textlength(line, font) > SIDE:
        line = line[:-1]
    return line
