import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from malaria import synthetic
from malaria.domain import ModelVersion, Review
from malaria.errors import BadOptions, Busy
from malaria.predict import Model, Scored, interpret
from malaria.preprocess import to_square
from malaria.services import Services


def cells(n: int) -> list[np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(5)
    return [rng.integers(0, 255, (128, 128, 3), dtype=np.uint8) for _ in range(n)]


def scored(p: float) -> Scored:
    return Scored(p, np.zeros((8, 8), np.float32), np.zeros(128, np.float32))


def test_32_threads_get_the_answers_given_alone(shipped_tflite: bytes, shipped_info: ModelVersion) -> None:
    model = Model(shipped_tflite, shipped_info)
    inputs = cells(64)
    alone = [model.score(x).probability for x in inputs]
    with ThreadPoolExecutor(32) as pool:
        together = list(pool.map(lambda x: model.score(x).probability, inputs * 4))
    assert together == alone * 4


def test_many_are_scored_in_order(shipped_tflite: bytes, shipped_info: ModelVersion) -> None:
    model = Model(shipped_tflite, shipped_info)
    inputs = cells(40)
    assert [s.probability for s in model.score_many(iter(inputs))] == [
        model.score(x).probability for x in inputs
    ]


@pytest.mark.parametrize(
    ("p", "threshold", "said"),
    [
        (None, None, "Parasitized"),
        (0.4, None, "Uninfected"),
        (0.4, 0.3, "Parasitized"),
        (0.0, 0.0, "Parasitized"),
        (0.99, 1.0, "Uninfected"),
    ],
)
def test_the_answer_follows_the_threshold(
    p: float | None, threshold: float | None, said: str, shipped_info: ModelVersion
) -> None:
    """No P: the model's own threshold."""
    answer = interpret(scored(shipped_info.threshold if p is None else p), shipped_info, threshold)
    assert answer.prediction == said
    assert answer.confidence == answer.probabilities[said]
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)


def test_answers_in_the_review_band_ask_for_a_look(shipped_info: ModelVersion) -> None:
    info = replace(shipped_info, threshold=0.5, review=Review(low=0.1, high=0.9, sent=0.08, wrong=0.012))
    asked = {p: interpret(scored(p), info).review for p in (0.0, 0.1, 0.2, 0.5, 0.89, 0.9, 1.0)}
    assert [p for p, why in asked.items() if why] == [0.2, 0.5, 0.89]
    assert asked[0.2] is not None
    assert (asked[0.2].code, asked[0.2].text[:24]) == ("uncertain", "P(parasitized) is 0.200;")
    moved = interpret(scored(0.2), info, 0.02).review
    assert moved is None, "the band moves with the caller's threshold"
    assert interpret(scored(0.02), info, 0.02).review is not None


def test_what_has_no_colour_is_for_a_person_however_sure_the_network_is(
    shipped_tflite: bytes, shipped_info: ModelVersion
) -> None:
    model = Model(shipped_tflite, shipped_info)
    for cell in synthetic.generate(12, seed=3):
        square = to_square(cell.image, shipped_info.input_size)
        grey = np.repeat(square.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
        seen, unseen = model.score(square), model.score(grey)
        assert (seen.colourless, unseen.colourless) == (False, True)
        why = interpret(unseen, shipped_info).review
        assert why is not None and why.code not in ("uncertain", None)
    sure = replace(scored(0.999), colourless=True)
    answer = interpret(sure, shipped_info)
    assert (answer.prediction, answer.review and answer.review.code) == ("Parasitized", "without-colour")


def test_a_version_without_a_band_asks_for_no_look(shipped_info: ModelVersion) -> None:
    assert interpret(scored(0.5), replace(shipped_info, review=None)).review is None


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_threshold_out_of_range_is_refused(threshold: float, shipped_info: ModelVersion) -> None:
    with pytest.raises(BadOptions, match="threshold"):
        interpret(scored(0.5), shipped_info, threshold)


def test_a_damaged_promoted_file_leaves_the_served_model_serving(services: Services) -> None:
    served = services.served
    before = served.model
    info = before.info
    bad = replace(info, version=f"20200101-{info.digest[:8]}")
    good_file = services.registry.fetch(info.version, "model.tflite", services.home / "good.tflite")
    services.registry.publish(bad, {"model.tflite": good_file})
    services.objects.put(f"models/{bad.version}/model.tflite", b"bits rot")
    services.registry.promote(bad.version, verdict="accepted", actor="test", reason="to see it fail")
    for _ in range(2):
        assert served.refresh() is False, "a broken promotion must not stop serving"
    assert served.model is before


def test_a_promotion_during_calls_fails_none(services: Services) -> None:
    served, stop, errors = services.served, threading.Event(), []

    def ask() -> None:
        x = cells(1)[0]
        while not stop.is_set():
            try:
                served.model.score(x)
            except Exception as error:  # noqa: BLE001  # any failure at all is what is counted
                errors.append(error)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    version = served.model.info
    again = replace(version, version="20990101-" + version.digest[:8])
    path = services.home / "cache" / version.version / "model.tflite"
    services.registry.publish(again, {"model.tflite": path})
    for thread in asking:
        thread.start()
    services.registry.promote(
        again.version, verdict="accepted", actor="test", reason="same weights, other name"
    )
    served.refresh()
    stop.set()
    for thread in asking:
        thread.join()
    assert errors == []
    assert served.promotion.version == again.version


def test_a_store_that_fails_for_a_moment_is_asked_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, shipped = services.served, services.served.model.info
    again = replace(shipped, version="20990101-" + shipped.digest[:8])
    path = services.home / "cache" / shipped.version / "model.tflite"
    services.registry.publish(again, {"model.tflite": path})
    services.registry.promote(again.version, verdict="accepted", actor="test", reason="another name")
    fetch = services.registry.fetch

    def busy(*_: object) -> None:
        raise Busy("the disk is away")

    monkeypatch.setattr(services.registry, "fetch", busy)
    assert served.refresh() is False
    assert served.model.info.version == shipped.version
    monkeypatch.setattr(services.registry, "fetch", fetch)
    assert served.refresh() is True
    assert served.model.info.version == again.version
