"""Asks a deployment as a stranger would: two made cells whose answers are known, through the public address.

It keeps the API's image awake, which Lambda puts aside after weeks of silence, and sees what no figure of
the API itself can show: that nothing is answered at all. The cells are made, so nobody's picture lies in the
code, and the API leaves them out of its own figures, where they would pass for a strange laboratory.
"""

import http.client
import json
import logging
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

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
        self._url, self._objects, self._meter, self._seconds = urlsplit(url), objects, meter, seconds
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
        except (_Wrong, MalariaError, OSError, http.client.HTTPException) as error:
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
        mark = uuid.uuid4().hex
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="cell.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
        )
        body = head.encode() + png + f"\r\n--{mark}--\r\n".encode()
        form = {"Content-Type": f"multipart/form-data; boundary={mark}", "Authorization": f"Bearer {key}"}
        return self._ask("POST", "/predict", body, form)

    def _ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        """The JSON of an answer. Raises _Wrong for any status but 200, OSError where nobody answers."""
        secure = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(str(self._url.hostname), self._url.port, timeout=self._seconds)
        try:
            connection.request(method, self._url.path.rstrip("/") + path, body or None, headers or {})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise _Wrong(f"{method} {path} was answered {answer.status}")
        try:
            return json.loads(content)
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
