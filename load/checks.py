"""What a right answer is, for each question that is asked. Every check raises Wrong."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from load.answers import PROBLEM, Answer, Wrong, good, must, shown
from load.cells import Picture
from malaria.domain import CLASSES, JobState, Label

PARASITIZED = Label.PARASITIZED.text
SUM = 1e-6
"""How far probabilities may be from adding up."""
STATES = frozenset(state.value for state in JobState)


def cell(told: Any, picture: Picture, threshold: float) -> None:
    """One answered picture, alone or of a batch: a class with its probability, or none with the reason."""
    must(isinstance(told, dict), "the answer is no JSON object")
    said = told.get("prediction", "absent")
    must(said is None or said in CLASSES, f"prediction is {shown(said)}: neither a class nor null")
    _review(told, said)
    _probabilities(told, said, threshold)
    size = told.get("image")
    must(isinstance(size, dict), "the answer does not say how large the picture was")
    must(
        (size.get("width"), size.get("height")) == picture.size, "the answer is of a picture of another size"
    )
    must(told.get("prediction_id"), "the answer has no prediction_id")


def _review(told: Mapping[str, Any], said: str | None) -> None:
    asks, why = told.get("needs_review"), told.get("review")
    must(isinstance(asks, bool), "needs_review is neither true nor false")
    must(asks or said is not None, "a picture without a prediction needs no review")
    must((why is not None) is asks, "needs_review and review do not fit together")
    if asks:
        must(
            isinstance(why, dict) and why.get("code") and why.get("text"), "the review has no code or no text"
        )


def _probabilities(told: Mapping[str, Any], said: str | None, threshold: float) -> None:
    likely, confidence = told.get("probabilities"), told.get("confidence")
    if said is None:
        must(likely is None and confidence is None, "there is no prediction, but a probability")
        return
    must(
        isinstance(likely, dict) and set(likely) == set(CLASSES),
        "probabilities are not those of both classes",
    )
    assert isinstance(likely, dict)
    for one in (*likely.values(), confidence):
        must(_is_probability(one), f"a probability is {shown(one)}")
    must(abs(sum(likely.values()) - 1) <= SUM, "the probabilities do not add up to 1")
    must(confidence == likely[said], "confidence is not the probability of the class that is named")
    named = likely[PARASITIZED] >= threshold
    must(named is (said == PARASITIZED), "the class named is not the one that the threshold gives")


def _is_probability(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def single(answer: Answer, picture: Picture, *, explained: bool) -> dict[str, Any]:
    """The answer to POST /predict."""
    good(answer)
    told: dict[str, Any] = answer.told()
    cell(told, picture, _threshold(told))
    _stamped(told)
    if explained and told["prediction"] is not None:
        _explanation(told.get("explanation"))
    return told


def _explanation(told: Any) -> None:
    must(isinstance(told, dict), "it was to be explained, and is not")
    grid = told.get("grid")
    must(
        isinstance(grid, list) and grid and all(len(row) == len(grid) for row in grid), "the map is no square"
    )
    must(str(told.get("overlay")).startswith("data:image/png;base64,"), "the overlay is no picture")


def batch(answer: Answer, sent: Sequence[Picture]) -> dict[str, Any]:
    """The answer to POST /predict/batch: an entry for each picture, in order; an error where it is none."""
    good(answer)
    told: dict[str, Any] = answer.told()
    must(isinstance(told, dict), "the answer is no JSON object")
    threshold = _threshold(told)
    entries = told.get("results")
    must(isinstance(entries, list), "there are no results")
    assert isinstance(entries, list)
    must(len(entries) == len(sent), "there are not as many answers as pictures that were sent")
    for place, (entry, picture) in enumerate(zip(entries, sent, strict=True)):
        must(entry.get("index") == place, "the answers are not in order")
        must(entry.get("filename") == picture.name, "an answer names another file than was sent there")
        if picture.bad:
            must(
                (entry.get("error") or {}).get("code") == "unreadable-image",
                "what is no picture has no error",
            )
        else:
            must(
                "error" not in entry,
                f"a picture was not read: {shown((entry.get('error') or {}).get('code'))}",
            )
            cell(entry, picture, threshold)
    _adds_up(told, entries)
    _stamped(told)
    return told


def _adds_up(told: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> None:
    failed = sum("error" in entry for entry in entries)
    named = {name: sum(entry.get("prediction") == name for entry in entries) for name in CLASSES}
    review = sum(entry.get("needs_review") is True for entry in entries)
    expected = {
        "total": len(entries),
        "failed": failed,
        "succeeded": len(entries) - failed,
        "refused": len(entries) - failed - sum(named.values()),
        "to_review": review,
        "counts": named,
    }
    for name, value in expected.items():
        must(told.get(name) == value, f"{name} does not fit the answers")


def table(answer: Answer, sent: Sequence[Picture]) -> None:
    """The same as CSV: a row for each picture."""
    good(answer, "text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig", "replace"))))
    must(len(rows) == len(sent), "there are not as many rows as pictures that were sent")
    for row, picture in zip(rows, sent, strict=True):
        must(row.get("filename") == picture.name, "a row names another file than was sent there")
        must(
            picture.bad or row.get("prediction") in (*CLASSES, ""),
            f"prediction is {shown(row.get('prediction'))}",
        )


def served(answer: Answer) -> tuple[int, str]:
    """Of GET /model/info the number of the promotion and the version."""
    good(answer)
    told = answer.told()
    must(isinstance(told, dict) and told.get("served") is True, "the model is not said to be served")
    must(len(str(told.get("digest"))) == 64, "the model has no digest")
    promoted = told.get("promotion") or {}
    must(promoted.get("version") == told.get("version"), "the promotion is of another version")
    return _promotion(promoted)


def _promotion(told: Mapping[str, Any]) -> tuple[int, str]:
    number, version = told.get("number"), told.get("version")
    if not isinstance(number, int) or not isinstance(version, str) or not version:
        raise Wrong("a promotion has no number or no version")
    return number, version


def status(answer: Answer) -> None:
    """GET /status."""
    good(answer)
    told = answer.told()
    must(isinstance(told, dict) and told.get("status") == "ok", f"status is {shown(told.get('status'))}")
    must(told.get("model_loaded") is True and told.get("model_version"), "no model is loaded")
    must(isinstance((told.get("training") or {}).get("queued"), int), "it does not say how many jobs wait")
    at(told.get("time"))


def promotions(answer: Answer) -> list[tuple[int, str]]:
    """Of GET /models the numbers and versions of the log, newest first."""
    good(answer)
    told = answer.told()
    must(isinstance(told.get("models"), list), "there is no list of models")
    log = [_promotion(one) for one in told["promotions"]]
    numbers = [number for number, _ in log]
    must(numbers == sorted(numbers, reverse=True), "the promotions are not newest first")
    return log


def quality(answer: Answer) -> None:
    """GET /metrics/quality: every rate is a probability, or not told."""
    good(answer)
    overall = answer.told().get("overall")
    must(isinstance(overall, dict) and isinstance(overall.get("cells"), int), "there are no figures in all")
    for name in ("sensitivity", "specificity", "accuracy"):
        value = (overall.get(name) or {}).get("value")
        must(value is None or _is_probability(value), f"{name} is {shown(value)}")


def tasks(answer: Answer) -> list[str]:
    """The ids that GET /retrain/tasks lists, newest first."""
    good(answer)
    listed = answer.told().get("tasks")
    must(isinstance(listed, list), "there is no list of jobs")
    for one in listed:
        _job(one)
    made = [at(one["created"]) for one in listed]
    must(made == sorted(made, reverse=True), "the jobs are not newest first")
    return [str(one["task_id"]) for one in listed]


def task(answer: Answer, task_id: str) -> None:
    """GET /retrain/status/{id}."""
    good(answer)
    told = answer.told()
    _job(told)
    must(told["task_id"] == task_id, "it tells of another job than was asked for")


def _job(told: Any) -> None:
    must(isinstance(told, dict) and told.get("task_id"), "a job has no id")
    must(told.get("state") in STATES, f"a job is {shown(told.get('state'))}")
    percent = told.get("percent")
    must(percent is None or 0 <= percent <= 100, "a job is done by less than nothing or more than all")
    must((told.get("links") or {}).get("self"), "a job has no link to itself")


def refusal(answer: Answer, status: int, code: str, words: Sequence[str] = ()) -> None:
    """Bad input, refused as it should be: right status, a problem whose code and detail name the fault."""
    must(answer.status == status, f"{answer.status} instead of {status}")
    must(answer.media_type == PROBLEM, f"refused as {answer.media_type or 'nothing'}, not as {PROBLEM}")
    told = answer.told()
    must(isinstance(told, dict) and told.get("status") == status, "the problem tells another status")
    must(told.get("code") == code, f"the code is {shown(told.get('code'))} instead of '{code}'")
    must(told.get("title") and told.get("request_id"), "the problem has no title or no request_id")
    detail = str(told.get("detail") or "").lower()
    for word in words:
        must(word.lower() in detail, f"the detail does not name the fault ('{word}')")
    must(detail, "the problem has no detail")


def _threshold(told: Any) -> float:
    found = told.get("threshold") if isinstance(told, dict) else None
    must(_is_probability(found), f"threshold is {shown(found)}")
    assert isinstance(found, int | float)
    return float(found)


def _stamped(told: Mapping[str, Any]) -> None:
    must(
        isinstance(told.get("model_version"), str) and told["model_version"],
        "the answer names no model_version",
    )
    seconds = told.get("processing_time")
    must(isinstance(seconds, int | float) and 0 <= seconds < math.inf, f"processing_time is {shown(seconds)}")
    at(told.get("timestamp"))


def at(value: Any) -> datetime:
    """A time as it is told. Raises Wrong where it is none, or says no zone."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    must(found is not None and found.tzinfo is not None, f"a time is {shown(value)}")
    assert found is not None
    return found
