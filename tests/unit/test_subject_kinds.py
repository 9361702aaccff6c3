"""Pictures by what they show, and what a model makes of them: figures by hand."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import no_cells, subject_figures, subject_kinds, synthetic
from malaria.domain import ModelVersion, Progress, Review, Role
from malaria.errors import BadLayout, BadOptions
from malaria.grafting import Branch, grafted
from malaria.predict import Model
from malaria.subject_kinds import CELL, Shown, Sources
from tests.train.test_train import nih_named
from tests.unit.test_laboratories import fields

EACH = 8


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    monkeypatch.setattr(subject_kinds, "EACH", EACH)
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (800, 600), (10, 90, 200)).save(photos / "sky.png")
    (photos / "broken.png").write_bytes(b"not a picture")
    roles = {"C1P1": Role.VALIDATION, "C2P2": Role.GATE, "C3P3": Role.TRAIN, "C4P4": Role.TEST}
    roles |= {"bccd/a": Role.TRAIN, "bccd/b": Role.VALIDATION}
    return Sources(
        base=[nih_named(tmp_path / "cells", range(1, 5), 1)],
        laboratories={"bccd": fields(tmp_path / "bccd", "ab")},
        folders={"photographs": photos},
        roles=roles,
    )


def test_nothing_is_shown_that_was_learnt_from_or_is_kept_for_the_test(sources: Sources) -> None:
    shown = list(subject_kinds.of(sources, 0))
    counts = Counter((one.kind, one.source) for one in shown)
    for label in ("parasitized", "uninfected"):
        assert counts[f"{CELL}, {label}", "nih validation"] == 4
        assert counts[f"{CELL}, {label}", "nih gate"] == 4
    assert counts[f"{CELL}, uninfected", "bccd"] == 2
    assert counts["cell, JPEG quality 15", "nih validation"] == EACH
    assert counts["exposed by -3 stops", "nih validation"] == 8
    assert counts["platelet", "bccd"] == 1
    assert counts["whole field", "bccd"] == 1
    assert {one.group for one in shown if one.source == "bccd"} == {"bccd/b"}
    assert {one.group for one in shown if one.source.startswith("nih")} == {"C1P1", "C2P2"}
    assert counts["photographs", "photos"] == 1
    assert counts["part of photographs", "photos"] == subject_kinds.PARTS
    assert {kind for kind, source in counts if source == "drawn"} == set(no_cells.KINDS)
    assert counts["writing", "drawn"] == EACH
    again = list(subject_kinds.of(sources, 0))
    assert [one.image.tobytes() for one in again] == [one.image.tobytes() for one in shown]


def test_a_laboratory_without_roles_is_shown_whole(sources: Sources) -> None:
    unknown = replace(sources, roles={"C1P1": Role.VALIDATION})
    groups = {one.group for one in subject_kinds.of(unknown, 0) if one.source == "bccd"}
    assert groups == {"bccd/a", "bccd/b"}


def test_a_folder_without_pictures_is_told(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadLayout, match="holds no pictures"):
        list(subject_kinds.of(replace(sources, folders={"none": tmp_path / "empty"}), 0))


@pytest.fixture
def content(shipped_tflite: bytes, branch: Branch) -> bytes:
    return grafted(shipped_tflite, branch)


def made(kind: str, count: int, image: Image.Image) -> list[Shown]:
    return [Shown(kind, "made", f"{kind}:{i}", image) for i in range(count)]


def test_shares_and_names_are_those_of_the_answers(
    content: bytes, branch: Branch, shipped_info: ModelVersion
) -> None:
    info = replace(shipped_info, screen=branch.screen)
    model = Model(content, info, interpreters=2)
    writing = no_cells.writing(np.random.default_rng(1))
    told: list[Progress] = []
    shown = [*made("writing", 6, writing), *made("flag", 3, Image.new("RGB", (90, 60), (255, 0, 255)))]
    found, sheet = subject_figures.measure(model, content, shown, told.append, draws=50)
    assert [(of.kind, of.pictures, of.groups) for of in found.kinds] == [("writing", 6, 6), ("flag", 3, 3)]
    page = found.kinds[0]
    assert (page.refused.value, page.stopped.value, page.called) == (1.0, 1.0, "no-cell")
    assert (page.at_99.value, page.looked_at.value) == (1.0, 1.0)
    low, high = page.refused.interval or (0, 0)
    assert 0.3 < low < high == 1.0
    with_it, without = found.milliseconds
    assert with_it > 0 and without > 0
    assert sheet.width > 8 * 128
    assert told
    assert json.dumps(subject_figures.told(found))
    cells, rest, costs = subject_figures.tables(found)
    assert not cells.rows
    assert [row[0] for row in rest.rows] == ["writing", "flag"]
    assert costs.rows[0][1] == f"{with_it:.2f}"


def test_an_uncertain_cell_is_for_a_person_and_not_stopped(
    content: bytes, branch: Branch, shipped_info: ModelVersion
) -> None:
    """Every bound is moved so that it is plain what a picture of a cell comes to."""
    screen, all_sent = (
        replace(branch.screen, refuse=0.0, review=0.0, hundredth=0.0),
        Review(0.0, 1.0, 1.0, 0.0),
    )
    info = replace(shipped_info, screen=screen, review=all_sent)
    cell = next(iter(synthetic.generate(1, seed=2))).image
    found, _ = subject_figures.measure(
        Model(content, info, interpreters=1), content, made("cell, uninfected", 2, cell), lambda _: None
    )
    (kind,) = found.kinds
    assert (kind.refused.value, kind.stopped.value, kind.looked_at.value) == (0.0, 0.0, 1.0)
    assert kind.called == ""
    assert [row[0] for row in subject_figures.tables(found)[0].rows] == ["cell, uninfected"]


def test_a_model_that_does_not_tell_is_refused(shipped_tflite: bytes, shipped_info: ModelVersion) -> None:
    model = Model(shipped_tflite, replace(shipped_info, screen=None), interpreters=1)
    with pytest.raises(BadOptions, match="`malaria subject graft` gives it one"):
        subject_figures.measure(model, shipped_tflite, [], lambda _: None)
