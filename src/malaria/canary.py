"""Asks a deployment as a stranger would: two made cells whose answers are known, through the public address.

It keeps the API's image awake, which Lambda puts aside after weeks of silence, and sees what no figure of
the API itself can show: that nothing is answered at all. The cells are made, so nobody's picture lies in the
code, and the API leaves them out of its own figures, where they would pass for a strange laboratory.
"""

import logging
import time
from collections.abc import Iterator
from typing import Any

from malaria import canary_key, synthetic
from malaria import metric_names as names
from malaria.domain import Label
from malaria.errors import MalariaError
from malaria.metric_names import Metric
from malaria.ports import Meter, ObjectStore
from malaria.synthetic import SyntheticCell

log = logging.getLogger(__name__)

SEED = 1
SECONDS = 30.0
"""For which one answer is waited: as long as the gateway waits for its function."""


class _Wrong(Exception):
    """The deployment does not answer as it should. Its text says how."""


class Canary:
    """url: of the API. seconds: for which it waits for an answer."""

    def __init__(self, url: str, objects: ObjectStore, meter: Meter, seconds: float = SECONDS) -> None:
        self._url, self._objects, self._meter, self._seconds = url.rstrip("/"), objects, meter, seconds
        self._cells = golden()

    def look(self) -> bool:
        """Ask, and tell whether all was well and how long each answer took.

        Never raises for a bad answer or none: the alarm reads the metric, and a call that failed would only
        be tried again.
        """
        taken: list[float] = []
        version, well = "-", False
        try:
            key = self._key()
            for cell in self._cells:
                began = time.perf_counter()
                told = self._predict(cell.png(), key)
                taken.append(1000 * (time.perf_counter() - began))
                version = _checked(cell.label, told)
            well = True
        except (_Wrong, MalariaError) as error:
            log.error("the canary was not answered as it should be: %s: %s", type(error).__name__, error)
        figures: dict[Metric, float | list[float]] = {names.CANARY_OK: float(well), names.CANARY_TIME: taken}
        self._meter.tell(figures, model_version=version)
        return well

    def _key(self) -> str:
        """The key, which the API makes as it starts: where there is none yet, it is woken. Who may not list,
        as the canary, is told 'forbidden' of what is absent."""
        try:
            return canary_key.read(self._objects)
        except MalariaError:
            self._ask("GET", "/health")
            return canary_key.read(self._objects)

    def _predict(self, png: bytes, key: str) -> Any:
        files = {"file": ("cell.png", png, "image/png")}
        return self._ask("POST", "/predict", files=files, headers={"Authorization": f"Bearer {key}"})

    def _ask(self, method: str, path: str, **sent: Any) -> Any:
        """The JSON of an answer. Raises _Wrong for any status but 200, and where nobody answers."""
        import httpx  # here: trainings, which load this module with the others, have none

        try:
            answer = httpx.request(method, self._url + path, timeout=self._seconds, **sent)
        except httpx.HTTPError as error:
            raise _Wrong(f"{method} {path} was not answered: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK:
            raise _Wrong(f"{method} {path} was answered {answer.status_code}")
        try:
            return answer.json()
        except ValueError:
            raise _Wrong(f"{method} {path} was answered with what is no JSON") from None


def golden() -> tuple[SyntheticCell, ...]:
    """One uninfected and one parasitized cell, always the same."""
    return tuple(_first(label) for label in Label)


def _first(wanted: Label) -> SyntheticCell:
    made: Iterator[SyntheticCell] = synthetic.generate(20, SEED)
    return next(cell for cell in made if cell.label is wanted)


def _checked(label: Label, told: Any) -> str:
    """The version that answered. Raises _Wrong where a cell was called what it is not, unless a person is
    asked to look: an adapted model may be unsure of a made cell, and says so."""
    if not isinstance(told, dict) or not isinstance(told.get("model_version"), str):
        raise _Wrong("the answer names no model_version")
    if not isinstance(told.get("needs_review"), bool) or "prediction" not in told:
        raise _Wrong("the answer has no prediction, or does not say whether a person should look")
    if told["prediction"] != label.text and not told["needs_review"]:
        raise _Wrong(f"a cell that is {label.text} was called {told['prediction']}")
    return str(told["model_version"])
