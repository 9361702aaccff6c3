"""What augmentation may change of a picture, and what it must not."""

import numpy as np
import pytest

from malaria import synthetic

pytestmark = pytest.mark.train


def test_augmentation_keeps_shape_range_and_black_surround() -> None:
    from malaria.training.augment import Augment

    cells = np.stack([np.asarray(c.image.resize((64, 64))) for c in synthetic.generate(8, 4)])
    layer = Augment(seed=3)
    changed = np.asarray(layer(cells, training=True))
    assert changed.shape == cells.shape
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert not np.allclose(changed, np.asarray(layer(cells, training=True))), "each call draws anew"
    assert np.array_equal(np.asarray(layer(cells, training=False)), cells)
    assert np.median(changed[:, 0, 0]) < 30, "corners stay dark"


def test_another_lamp_fades_colours_and_keeps_grey_and_black() -> None:
    from malaria.training.augment import Augment

    still = {"gain": 0.0, "offset": 0.0, "gamma": 0.0}
    layer = Augment(3, {"lamp": 0.6, **still})
    cells = np.zeros((3, 8, 8, 3), np.float32)
    cells[0] = 120.0
    cells[1] = (200.0, 40.0, 90.0)
    lit = np.asarray(layer._stain(cells, 3))
    assert lit[0] == pytest.approx(120.0, abs=0.1)
    assert 10.0 < np.ptp(lit[1, 0, 0]) < 159.0
    assert lit[1].min() > 40.0 and lit[1].max() < 200.0
    assert np.array_equal(lit[2], cells[2]), "the surround"
    assert np.asarray(Augment(3, still)._stain(cells, 3)) == pytest.approx(cells, abs=0.1)


def test_each_change_can_be_left_out() -> None:
    from malaria.training.augment import Augment

    cells = np.stack([np.asarray(c.image.resize((64, 64)), np.float32) for c in synthetic.generate(8, 4)])
    still = dict.fromkeys(("turned", "zoom", "shift", "gain", "offset", "gamma", "blur_share", "noise"), 0.0)
    assert np.asarray(Augment(3, still)(cells, training=True)) == pytest.approx(cells, abs=0.1)
    turns = np.asarray(Augment(3, {**still, "turned": 1.0})(cells, training=True))
    assert turns == pytest.approx(cells[:, ::-1, ::-1].transpose(0, 2, 1, 3), abs=0.1)
    drawn = {"zoom": 0.1, "gain": 0.2, "blur_share": 1.0, "noise": 6.0}
    for name, value in drawn.items():
        assert np.abs(np.asarray(Augment(3, {**still, name: value})(cells, training=True)) - cells).max() > 3


def test_a_mark_is_one_small_rectangle_of_one_colour() -> None:
    from malaria.training.augment import MARK, Augment

    still = dict.fromkeys(("turned", "zoom", "shift", "gain", "offset", "gamma", "blur_share", "noise"), 0.0)
    plain = np.full((64, 50, 50, 3), 120.0, np.float32)
    shown = np.asarray(Augment(3, {**still, "marked": 0.5})(plain, training=True))
    changed = np.abs(shown - plain).max(axis=-1) > 0.5
    assert 16 < changed.any(axis=(1, 2)).sum() < 48, "about half of the pictures"
    corners = set()
    for one, here in zip(shown, changed, strict=True):
        if here.any():
            rows, columns = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
            assert here.sum() == len(rows) * len(columns), "a rectangle"
            assert max(len(rows), len(columns)) <= MARK[1] * 50 + 1
            assert np.ptp(one[here], axis=0).max() < 0.1, "of one colour"
            corners.add((rows[0], columns[0]))
    assert len(corners) > 10, "anywhere"


def test_one_augmentation_serves_inputs_of_every_size() -> None:
    """A recipe's stages change the size under one compiled network, whose shapes are told at run time."""
    import keras
    import tensorflow as tf

    from malaria.training.augment import Augment

    told = {"lamp": 0.3, "strength": 0.1, "tint": 0.1, "light": 0.05, "coarse_share": 0.5, "marked": 0.5}
    image = keras.Input((None, None, 3))
    network = keras.Model(image, keras.layers.Conv2D(3, 8, strides=8)(Augment(3, told)(image)))
    network.compile("sgd", "mse")
    for size in (64, 96):
        cells = np.stack([np.asarray(c.image.resize((size, size))) for c in synthetic.generate(8, 4)])
        network.fit(cells, np.zeros((8, size // 8, size // 8, 3)), batch_size=4, verbose=0)
        changed = np.asarray(Augment(3, told)(cells, training=True))
        assert changed.shape == cells.shape
        assert np.isfinite(changed).all()
    layer, unknown = Augment(3, told), tf.TensorSpec((None, None, None, 3), tf.uint8)  # as after a few sizes
    traced = tf.function(lambda images: layer(images, training=True)).get_concrete_function(unknown)
    assert traced(tf.zeros((4, 64, 64, 3), tf.uint8)).shape == (4, 64, 64, 3)
