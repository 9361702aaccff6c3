"""What is told of the pictures of one request.

A request is told of once, when its answers are ready, by the instance that gives them. Requests that fail,
and how long they take, are counted by the gateway, and pictures that cannot be read are no pictures here.
"""

from malaria import metric_names as names
from malaria.domain import CLASSES, Label
from malaria.metric_names import Metric
from malaria.ports import Meter
from malaria.predict import UNCERTAIN, Answer, Model, Scored
from malaria.preprocess import Pixels
from malaria.unfamiliar import Familiar
from malaria.vitals import Vitals

_CALLED = {CLASSES[Label.PARASITIZED]: names.PARASITIZED, CLASSES[Label.UNINFECTED]: names.UNINFECTED}


class Reading:
    """Gathers figures of the pictures of one request; for the one thread that answers it.

    familiar: what the model learnt looks like; None where nobody watches, or where it is not known.
    """

    def __init__(self, model: Model, familiar: Familiar | None, vitals: Vitals) -> None:
        self._version, self._familiar, self._vitals = model.info.version, familiar, vitals
        self._counts: dict[Metric, float] = dict.fromkeys(
            (names.PICTURES, *_CALLED.values(), names.NOT_A_CELL, names.REVIEW, names.LOW_CONFIDENCE), 0
        )
        self._confidence: list[float] = []
        self._seconds = 0.0
        self._distances: list[float] = []
        self._deviations: list[float] = []

    def seen(self, square: Pixels) -> None:
        """A picture, as the model takes it."""
        if self._familiar is not None:
            self._deviations.append(self._familiar.deviation(square))

    def answered(self, scored: Scored, answer: Answer) -> None:
        self._counts[names.PICTURES] += 1
        self._counts[_CALLED[answer.prediction] if answer.prediction else names.NOT_A_CELL] += 1
        if answer.review is not None:
            self._counts[names.REVIEW] += 1
            self._counts[names.LOW_CONFIDENCE] += answer.review.code == UNCERTAIN
        if answer.confidence is not None:
            self._confidence.append(answer.confidence)
        self._seconds += scored.seconds
        if self._familiar is not None:
            self._distances.append(self._familiar.distance(scored.embedding))

    def tell(self, meter: Meter) -> None:
        if not self._counts[names.PICTURES]:
            return
        meter.tell(
            {
                **self._counts,
                names.CONFIDENCE: self._confidence,
                names.PREDICT_TIME: 1000 * self._seconds,
                names.FEATURE_DISTANCE: self._distances,
                names.IMAGE_DEVIATION: self._deviations,
                **self._vitals.take(),
            },
            model_version=self._version,
        )
