import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import evaluation_tables, synthetic
from malaria.domain import Label, ModelVersion, Progress, Review, Role, Screen
from malaria.errors import BadInput, BadLayout, BadOptions, Cancelled
from malaria.evaluate import Wanted, evaluate, measure
from malaria.predict import Model, Scored
from malaria.preprocess import Pixels, to_square
from malaria.stains import SIMULATED


class Darkness:
    """Stands in for a network: P(parasitized) is how dark the picture's middle is."""

    def __init__(self, info: ModelVersion) -> None:
        self.info = info

    def score_many(self, pixels: Iterable[Pixels]) -> Iterator[Scored]:
        held = []
        for one in pixels:  # reads ahead, as the real one does
            held.append(one)
            if len(held) == 3:
                yield self._scored(held.pop(0))
        yield from map(self._scored, held)

    def _scored(self, pixels: Pixels) -> Scored:
        middle = float(pixels[12:20, 12:20].mean())
        return Scored(1 - middle / 255, np.zeros((8, 8), np.float32), np.zeros(128, np.float32))


@pytest.fixture
def model() -> Model:
    info = ModelVersion("v1", "d" * 64, "mobilenet", 32, datetime(2026, 1, 1, tzinfo=UTC), 1, threshold=0.4)
    return Darkness(info)  # type: ignore[return-value]


def picture(darkness: float) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 40), (round(255 * (1 - darkness)),) * 3).save(out, "PNG")
    return out.getvalue()


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        for name, data in files.items():
            target.writestr(name, data)
    return path


CELLS = {
    "Parasitized/C1_thin_IMG_1_cell_1.png": picture(0.9),
    "Parasitized/C1_thin_IMG_1_cell_2.png": picture(0.8),
    "Parasitized/C2_thin_IMG_1_cell_1.png": picture(0.3),
    "Parasitized/broken.png": b"no picture",
    "Uninfected/C1_thin_IMG_1_cell_3.png": picture(0.1),
    "Uninfected/C3_thin_IMG_1_cell_1.png": picture(0.5),
    "Uninfected/slide_cell_1.png": picture(0.2),
    "Uninfected/slide_cell_2.png": picture(0.2),
    "Uninfected/stray.png": picture(0.2),
    "readme.txt": b"not a picture",
}


def test_cells_are_scored_counted_and_told_apart(model: Model, tmp_path: Path) -> None:
    found = evaluate(model, archive(tmp_path / "cells.zip", CELLS))
    assert found.metrics.confusion == {"tp": 2, "fn": 1, "fp": 1, "tn": 4}
    assert (found.metrics.cells, found.metrics.parasitized, found.metrics.threshold) == (8, 3, 0.4)
    assert (found.patients, found.unknown_patients) == (3, 3)
    assert found.metrics.patients == 5, "three patients, one field, one cell that stands alone"
    assert (found.version, found.source, found.warning) == ("v1", "cells.zip", "")


def test_what_is_sent_to_a_person_is_told_with_what_is_left_wrong(model: Model, tmp_path: Path) -> None:
    data = archive(tmp_path / "cells.zip", CELLS)
    assert evaluate(model, data).reviewed is None, "the model has no band"
    band = Review(low=0.25, high=0.6, sent=0.1, wrong=0.01)
    model.info = replace(model.info, review=band)  # 0.3 and 0.5 lie inside, and both are answered wrongly
    found = evaluate(model, data)
    assert found.reviewed is not None
    assert (found.reviewed.low, found.reviewed.high) == pytest.approx((0.25, 0.6), abs=1e-5)
    assert found.reviewed.sent.value == 2 / 8
    assert found.reviewed.wrong is not None
    assert found.reviewed.wrong.value == 0
    assert found.reviewed.wrong.interval is not None
    assert found.reviewed.wrong.interval[1] > 0.3, "six cells without an error leave room for one"
    assert found.reviewed.others is not None
    assert found.reviewed.others.confusion == {"tp": 2, "fn": 0, "fp": 0, "tn": 4}
    (table,) = [t for t in evaluation_tables.tables(found) if t.title == "What a person should look at"]
    assert table.rows[0][1].startswith("0.2500")  # type: ignore[attr-defined]


def test_where_all_are_sent_nothing_is_told_of_the_others(model: Model, tmp_path: Path) -> None:
    model.info = replace(model.info, review=Review(low=0.0, high=1.0, sent=0.1, wrong=0.01))
    found = evaluate(model, archive(tmp_path / "cells.zip", CELLS)).reviewed
    assert found is not None
    assert (found.sent.value, found.wrong, found.others) == (1.0, None, None)


def test_what_may_be_no_cell_is_sent_to_a_person_and_what_is_none_gets_no_answer(
    model: Model, tmp_path: Path
) -> None:
    """The shares are those of what a user sees, by band and subject network together."""
    many = model.score_many

    def shown(pixels: Iterable[Pixels]) -> Iterator[Scored]:
        for scored in many(pixels):
            good = {0.8: 0.1, 0.1: 0.5}.get(round(scored.probability, 1), 0.9)  # one refused, one doubtful
            yield replace(scored, subject=np.array([good, 1 - good, 0, 0, 0, 0], np.float32))

    model.score_many = shown  # type: ignore[method-assign]
    screen = Screen(refuse=0.2, review=0.6, network="f" * 64, refused=0.01, reviewed=0.04, hundredth=0.3)
    band = Review(low=0.25, high=0.4, sent=0.1, wrong=0.01)  # 0.3 lies inside
    model.info = replace(model.info, review=band, screen=screen)
    evaluation = evaluate(model, archive(tmp_path / "cells.zip", CELLS))
    found = evaluation.reviewed
    assert found is not None
    assert found.refused is not None
    assert (found.refused.value, found.sent.value) == (1 / 8, 2 / 8)
    assert found.others is not None
    assert found.others.confusion == {"tp": 1, "fn": 0, "fp": 1, "tn": 3}
    assert evaluation.metrics.cells == 8, "the figures themselves are of all cells"
    (table,) = [t for t in evaluation_tables.tables(evaluation) if t.title == "What a person should look at"]
    assert [row[0] for row in table.rows][:2] == ["share sent to a person", "share that gets no answer"]  # type: ignore[index]


def test_what_has_no_colour_is_sent_to_a_person(model: Model, tmp_path: Path) -> None:
    many = model.score_many

    def shown(pixels: Iterable[Pixels]) -> Iterator[Scored]:
        for scored in many(pixels):
            yield replace(scored, colourless=scored.probability > 0.85)

    model.score_many = shown  # type: ignore[method-assign]
    model.info = replace(model.info, review=Review(low=0.25, high=0.4, sent=0.1, wrong=0.01))
    found = evaluate(model, archive(tmp_path / "cells.zip", CELLS)).reviewed
    assert found is not None
    dark = sum(name.startswith("Parasitized/C1_thin_IMG_1_cell_1") for name in CELLS)
    assert (dark, found.sent.value) == (1, 2 / 8)  # and the one in the band


def test_the_same_cells_are_measured_under_other_stains(model: Model, tmp_path: Path) -> None:
    found, scores = measure(model, archive(tmp_path / "cells.zip", CELLS), Wanted(stains=True, bootstrap=50))
    assert [of.stain for of in found.stains] == list(SIMULATED) == list(scores.views)[1:]
    for of in found.stains:
        called = scores.views[of.stain] >= 0.4
        assert of.metrics.sensitivity == called[scores.labels == 1].mean()
        lost, before = of.drops["sensitivity"], found.metrics.sensitivity
        assert lost is not None and before is not None and of.metrics.sensitivity is not None
        assert lost.points == pytest.approx(100 * (before - of.metrics.sensitivity))
    assert any(of.drops["sensitivity"] != of.drops["specificity"] for of in found.stains)
    assert evaluation_tables.read(evaluation_tables.told(found)) == found
    (table,) = [t for t in evaluation_tables.tables(found) if t.title == "Under other stains"]
    assert [row[0] for row in table.rows] == list(SIMULATED)
    assert measure(model, tmp_path / "cells.zip", Wanted())[0].stains == ()


def test_unreadable_pictures_are_listed_not_fatal(model: Model, tmp_path: Path) -> None:
    (bad,) = evaluate(model, archive(tmp_path / "cells.zip", CELLS)).unreadable
    assert (bad.name, bad.code) == ("Parasitized/broken.png", "unreadable-image")
    assert "not a picture" in bad.reason


def test_a_folder_answers_as_its_zip(model: Model, tmp_path: Path) -> None:
    zipped = archive(tmp_path / "cells.zip", CELLS)
    with zipfile.ZipFile(zipped) as source:
        source.extractall(tmp_path / "folder")
    assert evaluate(model, tmp_path / "folder").metrics == evaluate(model, zipped).metrics


def test_the_threshold_can_be_chosen(model: Model, tmp_path: Path) -> None:
    source = archive(tmp_path / "cells.zip", CELLS)
    assert evaluate(model, source, threshold=0.25).metrics.sensitivity == 1.0
    with pytest.raises(BadOptions, match="threshold"):
        evaluate(model, source, threshold=1.5)


def test_cells_the_model_learnt_from_are_told(model: Model, tmp_path: Path) -> None:
    roles = {"C1": Role.TRAIN, "C2": Role.VALIDATION, "C3": Role.TEST}
    found = evaluate(model, archive(tmp_path / "cells.zip", CELLS), roles=roles)
    assert found.by_role == {
        "none": {"cells": 3, "patients": 0},
        "test": {"cells": 1, "patients": 1},
        "train": {"cells": 3, "patients": 1},
        "validation": {"cells": 1, "patients": 1},
    }
    assert found.warning.startswith("4 of 8 cells")
    unseen = evaluate(model, archive(tmp_path / "cells.zip", CELLS), roles={"C1": Role.GATE})
    assert unseen.warning == ""


def test_progress_is_reported_and_may_stop_the_work(model: Model, tmp_path: Path) -> None:
    source = archive(tmp_path / "cells.zip", CELLS)
    told: list[Progress] = []
    evaluate(model, source, report=told.append)
    assert told[-1].percent == 100.0
    assert told[-1].message == "9 of 9 cells"

    def stop(_: Progress) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        evaluate(model, source, report=stop)


def test_what_holds_no_cells_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match="Parasitized/"):
        evaluate(model, archive(tmp_path / "a.zip", {"readme.txt": b"hello"}))
    with pytest.raises(BadLayout):
        evaluate(model, tmp_path / "nowhere")
    with pytest.raises(BadInput, match="None of the 1 pictures"):
        evaluate(model, archive(tmp_path / "b.zip", {"Uninfected/a.png": b"no picture"}))


def test_the_shipped_model_answers_synthetic_cells(
    shipped_tflite: bytes, shipped_info: ModelVersion, tmp_path: Path
) -> None:
    source = synthetic.write(tmp_path / "cells.zip", 60, seed=4)
    shipped, at = Model(shipped_tflite, shipped_info), shipped_info.threshold
    found = evaluate(shipped, source, bootstrap=100).metrics
    said = {Label.UNINFECTED: 0, Label.PARASITIZED: 0}
    for cell in synthetic.generate(60, seed=4):
        said[cell.label] += shipped.score(to_square(cell.image, shipped_info.input_size)).probability >= at
    assert (found.confusion["tp"], found.confusion["fp"]) == (said[Label.PARASITIZED], said[Label.UNINFECTED])
    assert found.accuracy is not None
    assert found.accuracy > 0.9
