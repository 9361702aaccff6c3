"""The stain of a picture is brought to one density, in the network and in its exported file alike."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from malaria import graphfile, synthetic
from malaria.domain import ModelVersion
from malaria.predict import Model

pytestmark = pytest.mark.train

SIZE = 64


def pictures(seed: int = 3, count: int = 6) -> np.ndarray:
    """Synthetic cells on black, (n, s, s, 3) float32."""
    from malaria import preprocess

    made = (preprocess.pixels(cell.png(), SIZE) for cell in synthetic.generate(count, seed))
    return np.stack(list(made)).astype(np.float32)


def denser(x: np.ndarray, by: tuple[float, float, float]) -> np.ndarray:
    """The same cells, each channel of which absorbs more; black stays."""
    changed = 256 * ((x + 1) / 256) ** np.array(by, np.float32) - 1
    return np.where(x.max(axis=-1, keepdims=True) > 12, changed, x).astype(np.float32)


def normalised(x: np.ndarray, share: float = 1.0) -> np.ndarray:
    from malaria.training.stain import Normalised

    return np.asarray(Normalised(share)(x))


def density(x: np.ndarray) -> np.ndarray:
    """Of each cell and channel, (n, 3), as the layer takes it."""
    from malaria.training.stain import middle

    shown = x.max(axis=-1, keepdims=True) > 12
    return np.asarray(middle((-np.log((x + 1) / 256) * shown)[:, ::2, ::2]))[:, 0, 0]


def test_cells_of_any_stain_come_out_alike_and_black_stays() -> None:
    from malaria.training.stain import DENSITY

    x = pictures()
    plain, dark = normalised(x), normalised(denser(x, (1.8, 1.4, 1.1)))
    assert np.allclose(density(plain), DENSITY, rtol=0.02)
    seen = x.max(axis=-1) > 12
    before, after = np.abs(x - denser(x, (1.8, 1.4, 1.1)))[seen].mean(), np.abs(plain - dark)[seen].mean()
    assert after < 0.2 * before, "but for spots so dark that they are taken for black"
    assert np.array_equal(plain[~seen], x[~seen])


def test_the_density_is_the_median_of_nih_training_cells(real_cells: Path, models_dir: Path) -> None:
    from malaria import cells, preprocess, roles
    from malaria.domain import Role
    from malaria.training.stain import DENSITY

    known = roles.load(models_dir / "roles.json")
    read = (one for part in (1, 2, 3) for one in cells.read(real_cells / f"nih-cells-part{part}.zip"))
    learnt = (data for cell, data in read if known.get(cell.patient or "") == Role.TRAIN)
    some = np.stack([preprocess.pixels(data, SIZE) for data in islice(learnt, 0, None, 20)])
    assert len(some) > 500
    densities, shown = -np.log((some.astype(np.float32) + 1) / 256), some.max(axis=-1) > preprocess.BLACK
    each = [np.median(of[seen], axis=0) for of, seen in zip(densities, shown, strict=True)]
    assert np.median(each, axis=0) == pytest.approx(DENSITY, rel=0.05)


def test_plasma_about_a_cell_counts_for_little() -> None:
    x = pictures()
    bright = np.where(x.max(axis=-1, keepdims=True) > 12, x, 245.0).astype(np.float32)
    seen = x.max(axis=-1) > 12
    assert np.abs(normalised(x) - normalised(bright))[seen].mean() < 5


def test_a_parasite_does_not_lighten_its_cell() -> None:
    """Else the colour of the cell would tell of it, and less of how much darker it is would be left."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    cell = ((rows - 32) ** 2 + (columns - 32) ** 2 < 28**2)[None, :, :, None]
    spot = ((rows - 25) ** 2 + (columns - 36) ** 2 < 8**2)[None, :, :, None]
    healthy = np.where(cell, np.array([210, 150, 160]), 0).astype(np.float32)
    infected = np.where(spot, np.array([90, 30, 110]), healthy).astype(np.float32)
    body = (cell & ~spot)[..., 0]
    assert np.abs(normalised(healthy)[body] - normalised(infected)[body]).max() < 12
    assert (normalised(infected)[body].mean(0) - normalised(infected)[spot[..., 0]].mean(0)).min() > 25


def test_what_has_no_stain_or_nothing_but_black_stays_a_picture() -> None:
    flat = [np.full((1, SIZE, SIZE, 3), value, np.float32) for value in (0.0, 5.0, 13.0, 254.0, 255.0)]
    for x in flat:
        y = normalised(x)
        assert np.isfinite(y).all() and y.min() >= -1 and y.max() <= 255
    assert np.array_equal(normalised(flat[0]), flat[0])


def test_a_share_of_the_way_is_between() -> None:
    x = denser(pictures(), (2.0, 2.0, 2.0))
    none, half, whole = (density(normalised(x, share)).mean() for share in (0.0, 0.5, 1.0))
    assert none == pytest.approx(density(x).mean(), rel=1e-3)
    assert whole < half < none


@pytest.mark.parametrize("name", ["compact_cnn", "mobilenet_v2"])
def test_the_saved_and_the_exported_network_do_the_same(
    name: str, tmp_path: Path, shipped_info: ModelVersion
) -> None:
    import keras

    from malaria.head import sigmoid
    from malaria.training import networks
    from malaria.training.export import to_tflite
    from malaria.training.quantise import in_float32

    network = networks.build(name, normalised=1.0)
    x = np.rint(denser(pictures(), (2.0, 1.5, 1.0))).clip(0, 255).astype(np.uint8)
    head = network.get_layer("head").kernel
    head.assign(
        head / np.ptp(networks.logits(network, x))
    )  # one that has learnt nothing hardly tells them apart
    network.save(tmp_path / "network.keras")
    logits = networks.logits(keras.saving.load_model(tmp_path / "network.keras", compile=False), x)
    to_tflite(network, SIZE, 1.0, tmp_path / "model.tflite")
    content = (tmp_path / "model.tflite").read_bytes()
    told = [scored.probability for scored in Model(content, shipped_info).score_many(x)]
    assert np.ptp(logits) == pytest.approx(1, abs=0.1)
    assert np.allclose(told, sigmoid(logits), atol=1e-4)

    model = graphfile.unpack(content)
    kept = set(in_float32(model))
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    made = [
        model.subgraphs[0].tensors[operation.outputs[0]].name.decode()
        for operation in model.subgraphs[0].operators
        if graphfile.kind(model, operation) in (BuiltinOperator.LOG, BuiltinOperator.EXP)
    ]
    assert len(made) >= 2 and set(made) <= kept, "eight bits of a logarithm are too few"
