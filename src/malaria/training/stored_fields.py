"""Cells of another laboratory's fields as a base shard, so that `full` learns from them again.

What ships was trained with them, and remembers them. Without their pictures `full` would forget them, and the
gate could not ask what became of it: it asks of `full` what it makes of pixels.
"""

import hashlib
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PIL import Image

from malaria import preprocess, whole
from malaria.domain import Progress
from malaria.errors import BadLayout
from malaria.memory import BASE
from malaria.ports import Report
from malaria.roles import field_role
from malaria.shards import Shard, ShardCell, content_id
from malaria.spool import entry
from malaria.training.dataset import Item
from malaria.training.laboratories import Laboratory


def shard_of(laboratory: Laboratory, work: Path, now: datetime, report: Report) -> tuple[Shard, Path]:
    """The red cells of its fields, cropped as a training crops them, and a ZIP of them in `work`.

    Fields that have no role are given one by their name, as in a training. A cell that is met twice, pixel
    for pixel, is kept once. Raises BadLayout where no field holds a red cell, and as `fields.read`.
    """
    groups = laboratory.groups()
    drawn = {group: laboratory.roles.get(group) or field_role(group) for group in groups}
    found: dict[str, ShardCell] = {}
    place = {group: number for number, group in enumerate(groups)}
    with (
        whole.file(work / "cells.zip") as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive,
    ):
        for item in replace(laboratory, roles=drawn).read():
            cell, png = _cell(item)
            if cell.name not in found:
                found[cell.name] = cell
                archive.writestr(entry(cell.name), png)
            percent = 100.0 * place[item.group] / len(groups)
            report(Progress("import", percent=percent, message=f"{len(found)} cells cropped"))
    if not found:
        raise BadLayout(f"The fields of {laboratory.path} hold no red cell.")
    report(Progress("import", percent=100.0, message=f"{len(found)} cells cropped"))
    cells, kind = tuple(found[name] for name in sorted(found)), f"{BASE}:{laboratory.name}"
    return Shard(content_id(kind, cells), kind, cells, laboratory.path.stem, now), work / "cells.zip"


def _cell(item: Item) -> tuple[ShardCell, bytes]:
    given = item.picture
    image = given if isinstance(given, Image.Image) else preprocess.decode(given)
    png, fingerprint = preprocess.to_png(image), preprocess.fingerprint_of(image)
    name, sha256 = f"{item.label.text}/{fingerprint:016x}.png", hashlib.sha256(png).hexdigest()
    return ShardCell(name, item.name, item.label, None, item.group, item.role, sha256, fingerprint), png
