"""What passes for a right answer: a real server's answers do, and each way to be wrong is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from load import checks
from load.answers import Answer, Wrong, retry_after
from load.cells import NOT_A_PICTURE, Picture, form
from load.clumsy import mistakes
from malaria import synthetic
from tests.load.conftest import Ask

Change = Callable[[dict[str, Any]], object]


def changed(answer: Answer, change: Change) -> Answer:
    """The answer with its JSON changed."""
    told = answer.told()
    change(told)
    return replace(answer, body=json.dumps(told).encode())


def test_a_servers_answers_to_single_cells_are_right(ask: Ask, pictures: tuple[Picture, ...]) -> None:
    for picture in pictures:
        told = checks.single(ask("POST", "/predict", form("file", [picture])), picture, explained=False)
        assert told["prediction"] in ("Parasitized", "Uninfected", None)
    answer = ask("POST", "/predict?explain=true", form("file", [pictures[0]]))
    checks.single(answer, pictures[0], explained=True)


def test_what_is_no_cell_may_be_left_unanswered_with_its_reason(ask: Ask) -> None:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.effect_mandelbrot((90, 80), (-2, -1, 1, 1), 40).convert("RGB").save(out, "PNG")
    picture = Picture("mandelbrot.png", out.getvalue(), (90, 80))
    told = checks.single(ask("POST", "/predict", form("file", [picture])), picture, explained=True)
    assert told["prediction"] is None, "the test needs a picture that is not answered"
    assert told["review"]["code"]


SINGLE: list[tuple[Change, str]] = [
    (lambda t: t.update(prediction="Maybe"), "neither a class nor null"),
    (lambda t: t.pop("prediction"), "neither a class nor null"),
    (lambda t: t["probabilities"].update(Parasitized=1.2), "a probability is 1.2"),
    (lambda t: t["probabilities"].update(Parasitized=-0.1), "a probability is -0.1"),
    (lambda t: t["probabilities"].update(Parasitized=True), "a probability is True"),
    (lambda t: t["probabilities"].update(Parasitized=0.7, Uninfected=0.7), "do not add up"),
    (lambda t: t["probabilities"].pop("Parasitized"), "those of both classes"),
    (lambda t: t.update(probabilities=None), "those of both classes"),
    (lambda t: t.update(confidence=0.123), "confidence is not"),
    (lambda t: t.update(confidence=None), "a probability is None"),
    (lambda t: t.update(prediction=None), "a picture without a prediction needs no review|but a probability"),
    (
        lambda t: t.update(
            prediction={"Parasitized": "Uninfected", "Uninfected": "Parasitized"}[t["prediction"]],
            confidence=1 - t["confidence"],
            probabilities={
                k: 1 - t["confidence"] if k != t["prediction"] else t["confidence"]
                for k in t["probabilities"]
            },
        ),
        "confidence is not|not the one that the threshold gives",
    ),
    (lambda t: t.update(needs_review=None), "needs_review is neither"),
    (lambda t: t.update(needs_review=not t["needs_review"]), "do not fit together"),
    (lambda t: t.update(threshold=7), "threshold is 7"),
    (lambda t: t.update(threshold=0.0 if t["prediction"] == "Uninfected" else 1.0), "the threshold gives"),
    (lambda t: t["image"].update(width=1), "another size"),
    (lambda t: t.pop("image"), "how large"),
    (lambda t: t.update(prediction_id=""), "prediction_id"),
    (lambda t: t.update(model_version=None), "model_version"),
    (lambda t: t.update(processing_time=-1), "processing_time"),
    (lambda t: t.update(timestamp="yesterday"), "a time is 'yesterday'"),
    (lambda t: t.update(timestamp="2026-01-01T00:00:00"), "a time is"),
    (lambda t: t.pop("explanation"), "is not"),
    (lambda t: t["explanation"]["grid"].pop(), "no square"),
    (lambda t: t["explanation"].update(overlay="javascript:"), "no picture"),
]


@pytest.mark.parametrize(("change", "words"), SINGLE)
def test_each_way_to_be_wrong_about_a_cell_is_named(
    ask: Ask, pictures: tuple[Picture, ...], change: Change, words: str
) -> None:
    answer = ask("POST", "/predict?explain=true", form("file", [pictures[0]]))
    checks.single(answer, pictures[0], explained=True)
    with pytest.raises(Wrong, match=words):
        checks.single(changed(answer, change), pictures[0], explained=True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(500, {}, b""), "500 instead of 200"),
        (Answer(200, {"content-type": "text/html"}, b"fine"), "answered as text/html"),
        (Answer(200, {"content-type": "application/json"}, b"fine"), "no JSON"),
        (Answer(200, {"content-type": "application/json"}, b"[]"), "threshold is None|no JSON object"),
        (
            Answer(422, {"content-type": "application/problem+json"}, b'{"code": "unreadable-image"}'),
            "422 instead of 200 .*unreadable-image",
        ),
        (Answer(502, {"content-type": "application/problem+json"}, b"cut"), "502 instead of 200"),
    ],
)
def test_what_is_no_answer_at_all_is_named(answer: Answer, words: str, pictures: tuple[Picture, ...]) -> None:
    with pytest.raises(Wrong, match=words):
        checks.single(answer, pictures[0], explained=False)


BATCH: list[tuple[Change, str]] = [
    (lambda t: t["results"].pop(), "not as many answers"),
    (lambda t: t["results"].reverse(), "not in order"),
    (lambda t: t["results"][0].update(filename="b.png"), "another file"),
    (lambda t: t["results"][1].pop("error"), "has no error"),
    (lambda t: t["results"][0].update(error={"code": "image-too-small"}), "was not read: 'image-too-small'"),
    (lambda t: t["results"][2].update(prediction="Maybe"), "neither a class nor null"),
    (lambda t: t.update(total=1), "total does not fit"),
    (lambda t: t.update(succeeded=0), "succeeded does not fit"),
    (lambda t: t["counts"].update(Parasitized=99), "counts does not fit"),
    (lambda t: t.update(to_review=99), "to_review does not fit"),
    (lambda t: t.pop("results"), "no results"),
    (lambda t: t.pop("model_version"), "model_version"),
]


@pytest.mark.parametrize(("change", "words"), BATCH)
def test_each_way_to_be_wrong_about_a_batch_is_named(
    ask: Ask, pictures: tuple[Picture, ...], change: Change, words: str
) -> None:
    sent = [pictures[0], NOT_A_PICTURE, *pictures[1:3]]
    answer = ask("POST", "/predict/batch", form("files", sent))
    assert checks.batch(answer, sent)["failed"] == 1
    with pytest.raises(Wrong, match=words):
        checks.batch(changed(answer, change), sent)


def test_a_table_has_a_row_for_each_picture(ask: Ask, pictures: tuple[Picture, ...]) -> None:
    sent = [*pictures[:3], NOT_A_PICTURE]
    answer = ask("POST", "/predict/batch", form("files", sent), Accept="text/csv")
    checks.table(answer, sent)
    with pytest.raises(Wrong, match="as many rows"):
        checks.table(answer, sent[:3])
    with pytest.raises(Wrong, match="another file"):
        checks.table(answer, [sent[1], sent[0], *sent[2:]])
    named = b"Uninfected" if b",Uninfected," in answer.body else b"Parasitized"
    with pytest.raises(Wrong, match="prediction is 'Maybe'"):
        checks.table(replace(answer, body=answer.body.replace(b"," + named + b",", b",Maybe,", 1)), sent)


STATUS: list[tuple[str, Any, Change, str]] = [
    ("/status", checks.status, lambda t: t.update(status="degraded"), "status is 'degraded'"),
    ("/status", checks.status, lambda t: t.update(model_version=None), "no model"),
    ("/status", checks.status, lambda t: t.pop("training"), "how many jobs wait"),
    ("/model/info", checks.served, lambda t: t.update(served=False), "not said to be served"),
    ("/model/info", checks.served, lambda t: t.update(digest="abc"), "no digest"),
    ("/model/info", checks.served, lambda t: t.update(version="other"), "of another version"),
    ("/model/info", checks.served, lambda t: t["promotion"].pop("number"), "no number"),
    ("/models", checks.promotions, lambda t: t.pop("models"), "no list"),
    (
        "/models",
        checks.promotions,
        lambda t: t["promotions"].append({"number": 9, "version": "x"}),
        "newest first",
    ),
    ("/metrics/quality", checks.quality, lambda t: t.pop("overall"), "no figures"),
    (
        "/metrics/quality",
        checks.quality,
        lambda t: t["overall"]["accuracy"].update(value=1.5),
        "accuracy is 1.5",
    ),
]


@pytest.mark.parametrize(("path", "check", "change", "words"), STATUS)
def test_each_way_to_be_wrong_about_how_things_stand_is_named(
    ask: Ask, path: str, check: Any, change: Change, words: str
) -> None:
    answer = ask("GET", path)
    check(answer)
    with pytest.raises(Wrong, match=words):
        check(changed(answer, change))


def test_jobs_are_looked_at_too(ask: Ask, tmp_path: Path) -> None:
    for seed in (1, 2):
        upload = synthetic.write(tmp_path / f"{seed}.zip", 4, seed=seed).read_bytes()
        assert ask("POST", "/retrain", form("file", [Picture(f"{seed}.zip", upload, (0, 0))])).status == 202
    answer = ask("GET", "/retrain/tasks")
    listed = checks.tasks(answer)
    assert len(listed) == 2
    one = ask("GET", f"/retrain/status/{listed[0]}")
    checks.task(one, listed[0])
    with pytest.raises(Wrong, match="another job"):
        checks.task(one, listed[1])
    for change, words in (
        (lambda t: t["tasks"].reverse(), "newest first"),
        (lambda t: t["tasks"][0].update(state="lost"), "a job is 'lost'"),
        (lambda t: t["tasks"][0].update(percent=101), "more than all"),
        (lambda t: t["tasks"][0].update(links={}), "no link"),
        (lambda t: t.pop("tasks"), "no list"),
    ):
        with pytest.raises(Wrong, match=words):
            checks.tasks(changed(answer, change))


def test_every_mistake_is_refused_as_it_should_be(ask: Ask, pictures: tuple[Picture, ...]) -> None:
    made = mistakes(pictures[0], keyed=False)
    assert len({one.what for one in made}) == len(made) >= 12
    for one in made:
        answer = ask(one.method, one.path, one.body, **one.headers)
        assert retry_after(answer) is None
        checks.refusal(answer, one.status, one.code, one.words)
    assert {one.what for one in mistakes(pictures[0], keyed=True)} - {one.what for one in made} == {
        "a wrong key"
    }


REFUSALS: list[tuple[Change, str]] = [
    (
        lambda t: t.update(code="invalid-request"),
        "the code is 'invalid-request' instead of 'unreadable-image'",
    ),
    (lambda t: t.update(status=400), "another status"),
    (lambda t: t.update(detail=""), "no detail|does not name"),
    (lambda t: t.pop("request_id"), "no request_id"),
]


@pytest.mark.parametrize(("change", "words"), REFUSALS)
def test_a_refusal_that_is_not_right_is_named(ask: Ask, change: Change, words: str) -> None:
    answer = ask("POST", "/predict", form("file", [NOT_A_PICTURE]))
    checks.refusal(answer, 422, "unreadable-image", ("picture",))
    with pytest.raises(Wrong, match=words):
        checks.refusal(changed(answer, change), 422, "unreadable-image")
    with pytest.raises(Wrong, match="422 instead of 415"):
        checks.refusal(answer, 415, "unreadable-image")
    with pytest.raises(Wrong, match=r"does not name the fault \('threshold'\)"):
        checks.refusal(answer, 422, "unreadable-image", ("threshold",))
    with pytest.raises(Wrong, match="not as application/problem"):
        checks.refusal(replace(answer, headers={"content-type": "application/json"}), 422, "unreadable-image")


def refused(status: int, code: str, **headers: str) -> Answer:
    told = json.dumps({"code": code, "detail": "Try again."}).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/problem+json", **given}, told)


def test_a_server_that_has_enough_says_when_to_come_back() -> None:
    assert retry_after(refused(503, "busy", retry_after="3")) == 3
    assert retry_after(refused(429, "too-many-requests", retry_after="12")) == 12
    assert retry_after(refused(429, "too-many-pictures", retry_after="1")) == 1
    with pytest.raises(Wrong, match="when to come back"):
        retry_after(refused(503, "busy"))
    with pytest.raises(Wrong, match="when to come back"):
        retry_after(refused(429, "too-many-requests", retry_after="soon"))
    with pytest.raises(Wrong, match="503 as text/html"):
        retry_after(Answer(503, {"content-type": "text/html"}, b"<h1>503"))
    with pytest.raises(Wrong, match="429 as application/json"):  # as a gateway that throttles says it
        retry_after(Answer(429, {"content-type": "application/json"}, b'{"message": "Too Many Requests"}'))


def test_a_server_without_a_model_is_not_just_busy() -> None:
    answer = refused(503, "model-unusable", retry_after="1")
    assert retry_after(answer) is None
    with pytest.raises(Wrong, match=r"503 instead of 200 \('model-unusable'\)"):
        checks.status(answer)
