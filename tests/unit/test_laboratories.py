"""Cells of another laboratory, cropped from fields: roles by field, margins for training only."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from malaria import preprocess
from malaria.adapters import objects
from malaria.domain import Label, Role
from malaria.roles import field_role
from malaria.shards import Shards
from malaria.training.dataset import Stored
from malaria.training.laboratories import Laboratory
from malaria.training.panels import boxed
from malaria.training.stored_fields import shard_of
from tests.unit.registries import START

EDGES = "<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax>"
CELL = "<object><name>{}</name><bndbox>" + EDGES + "</bndbox></object>"


def fields(folder: Path, names: Iterable[str]) -> Path:
    """Fields in the manner of BCCD, each with two pale red cells and a platelet."""
    for part in ("images", "annotations"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    boxes = [("RBC", 40, 40, 140, 140), ("RBC", 160, 80, 260, 180), ("Platelets", 5, 5, 25, 25)]
    told = "".join(CELL.format(*box) for box in boxes)
    for name in names:
        field = Image.new("RGB", (320, 240), (225, 220, 230))
        for _, *edges in boxes:
            ImageDraw.Draw(field).ellipse(edges, fill=(200, 150, 160))
        field.save(folder / "images" / f"{name}.png")
        (folder / "annotations" / f"{name}.xml").write_text(f"<annotation>{told}</annotation>")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return fields(tmp_path, ("a", "b"))


def test_red_cells_are_read_with_the_role_of_their_field(source: Path) -> None:
    laboratory = Laboratory(source, "bccd", {"bccd/a": Role.TRAIN, "bccd/b": Role.VALIDATION})
    assert laboratory.groups() == ["bccd/a", "bccd/b"]
    items = list(laboratory.read())
    assert [(i.group, i.role, i.origin, i.label) for i in items] == [
        ("bccd/a", Role.TRAIN, "base:bccd", Label.UNINFECTED),
        ("bccd/a", Role.TRAIN, "base:bccd", Label.UNINFECTED),
        ("bccd/b", Role.VALIDATION, "base:bccd", Label.UNINFECTED),
        ("bccd/b", Role.VALIDATION, "base:bccd", Label.UNINFECTED),
    ]
    sizes = [i.picture.size for i in items if not isinstance(i.picture, bytes)]
    assert sizes[2:] == [(100, 100), (100, 100)], "cells to tune on are cropped by their boxes"
    assert sizes[0] != sizes[1], "cells to train on are cropped a little wider or tighter"
    assert all(94 <= width <= 136 for width, _ in sizes)


def test_fields_without_a_role_are_left_out_and_roles_change_the_key(source: Path) -> None:
    one = Laboratory(source, "bccd", {"bccd/a": Role.TRAIN})
    assert {item.group for item in one.read()} == {"bccd/a"}
    both = Laboratory(source, "bccd", {"bccd/a": Role.TRAIN, "bccd/b": Role.TEST})
    assert one.key != both.key
    other = Laboratory(source, "bccd", {"bccd/a": Role.TRAIN, "chula/1": Role.TEST})
    assert one.key == other.key, "roles of other sets do not matter"


def test_roles_of_fields_are_drawn_by_name_and_most_are_trained_on() -> None:
    drawn = [field_role(f"chula/{i}") for i in range(1000)]
    assert drawn == [field_role(f"chula/{i}") for i in range(1000)]
    shares = {role: drawn.count(role) / 1000 for role in Role}
    assert 0.62 < shares[Role.TRAIN] < 0.78
    assert 0.1 < shares[Role.VALIDATION] < 0.2
    assert 0.1 < shares[Role.TEST] < 0.2
    assert shares[Role.GATE] == 0


def test_fields_kept_for_the_test_are_left_alone_by_who_does_not_learn_of_the_others(tmp_path: Path) -> None:
    """A laboratory that a study leaves out is measured on what may be looked at, and on no more."""
    known = {"bccd/a": Role.TRAIN, "bccd/b": Role.TEST, "bccd/c": Role.GATE}
    found = boxed(fields(tmp_path, "abcd"), "bccd", 32, known)
    assert set(found.groups.tolist()) == {"a", "d"}, "who has no role is of a set that nothing is learnt of"


def test_stored_they_keep_role_field_and_origin(source: Path, tmp_path: Path) -> None:
    """As a training crops them, so that what is remembered and what is stored are the same cells."""
    laboratory = Laboratory(source, "bccd", {"bccd/a": Role.TRAIN, "bccd/b": Role.VALIDATION})
    (tmp_path / "work").mkdir()
    shard, archive = shard_of(laboratory, tmp_path / "work", START, lambda _: None)
    assert (shard.kind, shard.base, shard.origin) == ("base:bccd", True, "base:bccd")
    shards = Shards(objects.local(tmp_path / "objects"))
    assert shards.save(shard, archive) == shard == shards.load(shard.sha256)
    items = list(Stored(shards, shard).read())
    trained = {preprocess.fingerprint_of(item.picture): item for item in laboratory.read()}  # type: ignore[arg-type]
    assert len(items) == len(trained)
    for item in items:
        assert isinstance(item.picture, bytes)
        same = trained[preprocess.fingerprint_of(preprocess.decode(item.picture))]
        assert (item.group, item.role, item.origin, item.label) == (
            same.group,
            same.role,
            same.origin,
            same.label,
        )
