"""Many cells on one picture, each with its name below it, for a person to look through."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

SIDE = 128
"""Pixels across a cell on the sheet: about the native size of a NIH crop."""
MARGIN = 8
LINE = 11
PRINT = 9
"""Size of the small print, in pixels."""
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
