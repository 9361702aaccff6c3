"""The curves behind a version's figures, held to its figures."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import auc

from malaria import curves, shipped
from malaria.at_hand import AtHand
from malaria.domain import ModelVersion
from malaria.metrics import SPREAD_CELLS, metrics

Floats = npt.NDArray[np.float64]
LABELS = np.array([1] * 30 + [0] * 50, np.uint8)
PATIENTS = np.array(["a"] * 12 + ["b"] * 18 + ["b"] * 40 + ["c"] * 4 + ["d"] * 6)


@pytest.fixture
def p() -> Floats:
    return np.random.default_rng(0).beta(2 + 3 * LABELS, 2 + 3 * (1 - LABELS)).round(2)


def test_a_roc_curve_has_the_area_and_the_rates_that_the_figures_tell(p: Floats) -> None:
    found, told = curves.curves(LABELS, p, PATIENTS, 0.5), metrics(LABELS, p, PATIENTS, 0.5, bootstrap=0)
    along, up = ([getattr(at, name) for at in found.roc] for name in ("false_positive_rate", "sensitivity"))
    assert (found.roc[0].threshold, along[0], up[0], along[-1], up[-1]) == (None, 0.0, 0.0, 1.0, 1.0)
    assert along == sorted(along) and up == sorted(up)
    assert auc(along, up) == pytest.approx(told.auc)
    for at in found.roc[1:]:
        assert at.threshold is not None
        assert at.sensitivity == (p[LABELS == 1] >= at.threshold).mean()


def test_a_long_curve_is_thinned_and_keeps_its_area() -> None:
    rng = np.random.default_rng(1)
    labels = (np.arange(20_000) % 2).astype(np.uint8)
    p = rng.beta(2 + labels, 2 + (1 - labels))
    found = curves.curves(labels, p, np.zeros(len(p), np.str_), 0.5)
    told = metrics(labels, p, np.zeros(len(p), np.str_), 0.5, bootstrap=0)
    assert len(found.roc) == curves.MOST_POINTS
    along, up = ([getattr(at, name) for at in found.roc] for name in ("false_positive_rate", "sensitivity"))
    assert auc(along, up) == pytest.approx(told.auc, abs=1e-3)


def test_bins_give_the_calibration_error(p: Floats) -> None:
    found = curves.curves(LABELS, p, PATIENTS, 0.5)
    error = sum(one.cells * abs(one.said - one.seen) for one in found.reliability) / len(LABELS)
    assert error == pytest.approx(metrics(LABELS, p, PATIENTS, 0.5, bootstrap=0).ece)
    assert sum(one.cells for one in found.reliability) == len(LABELS)
    assert all(one.low <= one.said <= one.high for one in found.reliability)


def test_patients_with_few_cells_are_left_out(p: Floats) -> None:
    called = p >= 0.5
    b, a = curves.curves(LABELS, p, PATIENTS, 0.5).patients
    assert (a.parasitized, a.uninfected) == (12, 0)
    assert (b.parasitized, b.uninfected) == (18, 40)
    assert a.found == called[:12].sum()
    assert b.called == called[30:70].sum()
    assert SPREAD_CELLS > 6, "or `d` would be one of them"


def test_one_class_alone_has_no_roc_curve() -> None:
    found = curves.curves(np.zeros(20, np.uint8), np.linspace(0, 0.4, 20), np.full(20, "a"), 0.5)
    assert found.roc == ()
    assert found.patients == (curves.OfPatient(0, 0, 20, 0),)


@pytest.fixture(scope="module")
def ships(models_dir: Path) -> tuple[AtHand, ModelVersion]:
    info = shipped.find(models_dir, shipped.listing(models_dir).default)
    return AtHand(None, models_dir, models_dir), info


def test_those_of_a_version_agree_with_its_manifest(ships: tuple[AtHand, ModelVersion]) -> None:
    at_hand, info = ships
    found = curves.of_version(at_hand, info.version)
    assert {"gate", "validation"} <= set(found)
    for name, told in found.items():
        kept = info.metrics[name]
        assert (told.cells, told.threshold) == (kept["cells"], info.threshold)
        error = sum(one.cells * abs(one.said - one.seen) for one in told.reliability) / told.cells
        assert error == pytest.approx(kept["ece"], abs=2e-4)
    spread = info.metrics["gate"]["spread"]["sensitivity"]
    rates = [one.found / one.parasitized for one in found["gate"].patients if one.parasitized >= SPREAD_CELLS]
    assert len(rates) == spread["patients"]
    assert min(rates) == pytest.approx(spread["worst"])
