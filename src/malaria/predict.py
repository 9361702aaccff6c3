"""Inference: a TFLite model behind a pool of interpreters, and what is served now.

An interpreter is not thread-safe: ten clients over one fail half of their requests. So each call borrows
one of the pool and gives it back; a call waits while all are out.
"""

import contextlib
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import subject
from malaria.domain import CLASSES, Label, ModelVersion, Promotion, Reason
from malaria.errors import BadOptions, Busy, Damaged, MalariaError, ModelUnusable, NotFound
from malaria.operating import moved
from malaria.preprocess import Pixels, colourless
from malaria.promote import Registry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scored:
    """probability: calibrated P(parasitized), 0..1. activation: (g, g) float32, in logits: its mean is the
    logit, so a hot place speaks for a parasite. embedding: (width,) float32, never negative. subject: what
    the picture shows, a probability for each Subject; None where the graph does not tell. seconds: what the
    network took, waiting for an interpreter apart. colourless: whether the picture has no colour."""

    probability: float
    activation: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32]
    subject: npt.NDArray[np.float32] | None = None
    seconds: float = 0.0
    colourless: bool = False


UNCERTAIN = "uncertain"
"""Reason of a review: the probability is too near to the threshold."""
COLOURLESS = Reason(
    "without-colour",
    "The picture has no colour, and parasites are told by their stain. A person should look at this cell.",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person is told. prediction: None where the picture is surely not one good cell; what the network
    says of a parasite means nothing then. confidence: the calibrated probability of the class that is named.
    review: why a person should look at the cell, or why it got no answer; None where nobody need."""

    prediction: str | None
    confidence: float | None
    probabilities: dict[str, float]
    threshold: float
    review: Reason | None = None


class Model:
    """One .tflite file, safe to call from many threads."""

    def __init__(self, content: bytes, info: ModelVersion, interpreters: int | None = None) -> None:
        self.info = info
        count = interpreters or os.cpu_count() or 1
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(_runner(content))
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="score")
        self._ahead = 4 * count

    @classmethod
    def load(cls, path: Path, info: ModelVersion, interpreters: int | None = None) -> "Model":
        """Raises ModelUnusable where the file is missing, damaged or not a graph of this kind."""
        try:
            model = cls(path.read_bytes(), info, interpreters)
            model.score(np.zeros((info.input_size, info.input_size, 3), dtype=np.uint8))
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
            raise ModelUnusable(f"The model {info.version} cannot be run: {error}") from error
        return model

    def score(self, pixels: Pixels) -> Scored:
        """Score one cell, (s, s, 3) uint8 RGB, s the model's input size."""
        with self._borrowed() as run:
            began = time.perf_counter()
            out = run(image=pixels[np.newaxis])
            return Scored(
                float(out["probability"][0, 0]),
                out["activation"][0, :, :, 0].copy(),
                out["embedding"][0].copy(),
                out["subject"][0].copy() if "subject" in out else None,
                time.perf_counter() - began,
                colourless(pixels),
            )

    def score_many(self, pixels: Iterable[Pixels]) -> Iterator[Scored]:
        """Score cells in order on all interpreters, holding only a few of them in memory."""
        waiting: deque[Future[Scored]] = deque()
        for one in pixels:
            waiting.append(self._pool.submit(self.score, one))
            if len(waiting) >= self._ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[Any]:
        run = self._idle.get()
        try:
            yield run
        finally:
            self._idle.put(run)


def _runner(content: bytes) -> Any:
    return interpreter(content).get_signature_runner("serve")


def interpreter(content: bytes) -> Any:
    """A TFLite interpreter of one thread over a file's bytes."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:  # Python 3.11 and old boards
        from tflite_runtime.interpreter import Interpreter
    return Interpreter(model_content=content, num_threads=1)


def input_size(content: bytes) -> int:
    """The side, in pixels, of the pictures that a .tflite file takes. Raises ModelUnusable."""
    try:
        (told,) = interpreter(content).get_input_details()
        return int(told["shape"][1])
    except (ValueError, RuntimeError, IndexError) as error:
        raise ModelUnusable(f"The model file cannot be read: {error}") from error


def interpret(scored: Scored, info: ModelVersion, threshold: float | None = None) -> Answer:
    """Put a score into words at the model's operating point, or at the caller's. A picture that is not one
    good cell gets no prediction, or is for a person to look at.

    Raises:
        BadOptions: the threshold is not between 0 and 1.
    """
    at = info.threshold if threshold is None else threshold
    if not 0.0 <= at <= 1.0:  # also refuses NaN
        raise BadOptions(f"threshold is {at}; it must be a probability from 0 to 1.")
    p = min(max(scored.probability, 0.0), 1.0)
    probabilities = {CLASSES[Label.PARASITIZED]: p, CLASSES[Label.UNINFECTED]: 1.0 - p}
    found = subject.judged(scored.subject, info.screen)
    if found.refused:
        return Answer(None, None, probabilities, at, found.reason)
    label = Label.PARASITIZED if p >= at else Label.UNINFECTED
    why = found.reason or (COLOURLESS if scored.colourless else _doubt(p, at, info))
    return Answer(label.text, probabilities[label.text], probabilities, at, why)


def screened(scored: Scored, info: ModelVersion) -> bool:
    """Whether a picture is sent to a person, or gets no answer, wherever its probability lies."""
    return scored.colourless or subject.judged(scored.subject, info.screen).reason is not None


def _doubt(p: float, at: float, info: ModelVersion) -> Reason | None:
    """Why a person should look: P(parasitized) lies in the model's review band, moved with the threshold."""
    if info.review is None:
        return None
    low, high = moved(info.review, info.threshold, at)
    if not low < p < high:
        return None
    text = f"P(parasitized) is {p:.3f}; between {low:.3f} and {high:.3f} the model errs more often."
    return Reason(UNCERTAIN, f"{text} A person should look at this cell.")


class Served:
    """What is served now. `refresh` takes up a newer promotion; calls under way keep the model they have.

    bundled: a version that lies here, and its model file. It answers until the promotion log can be read for
    the first time, as promotion 0; None: nothing does. Not for a run, which would take it for the champion.
    """

    def __init__(
        self,
        registry: Registry,
        cache: Path,
        interpreters: int | None = None,
        bundled: tuple[ModelVersion, Path] | None = None,
    ) -> None:
        self._registry, self._cache, self._interpreters = registry, cache, interpreters
        self._bundled = bundled
        self._current: tuple[Promotion, Model] | None = None
        self._refused: tuple[int, str] | None = None
        self._lock = threading.Lock()

    @property
    def model(self) -> Model:
        return self.standing()[1]

    @property
    def promotion(self) -> Promotion:
        return self.standing()[0]

    def standing(self) -> tuple[Promotion, Model]:
        """The entry and the model that serve, read at one moment. Raises ModelUnusable where none does."""
        if self._current is None:
            self.refresh()
        if self._current is None:
            raise ModelUnusable("No model has been promoted yet. Run `malaria doctor` to see why.")
        return self._current

    def refresh(self) -> bool:
        """Read the newest promotion and load its model; True where the served model changed.

        A promoted model that cannot be loaded is logged and the one before goes on serving.

        Raises:
            Busy: the store cannot be reached.
            Damaged, NotFound: nothing was served before and the newest cannot be loaded.
        """
        with self._lock:
            try:
                return self._take_up()
            except Busy as error:
                if self._current is not None or self._bundled is None:
                    raise
                log.warning("the promotion log cannot be read yet, the model that ships answers: %s", error)
            info, path = self._bundled
            self._current = _unpromoted(info), Model.load(path, info, self._interpreters)
            return True

    def _take_up(self) -> bool:
        newest = self._registry.newest()
        if newest is None or (self._current and newest.number == self._current[0].number):
            return False
        if self._refused and self._refused == (newest.number, newest.digest) and self._current:
            return False
        try:
            model = self._reuse(newest) or self._load(newest)
        except MalariaError as error:
            if self._current is None:
                raise
            if isinstance(error, Damaged | NotFound):  # else the store failed for a moment: look again
                self._refused = (newest.number, newest.digest)
            log.warning("promotion %d cannot be served, the model before goes on: %s", newest.number, error)
            return False
        changed = self._current is None or self._current[1] is not model
        self._current = (newest, model)
        return changed

    def _reuse(self, promotion: Promotion) -> Model | None:
        """The loaded model, where the entry names it again (a rollback there and back)."""
        same = self._current and self._current[1].info.version == promotion.version
        return self._current[1] if self._current and same else None

    def _load(self, promotion: Promotion) -> Model:
        return load_version(self._registry, promotion.version, self._cache, self._interpreters)


def _unpromoted(info: ModelVersion) -> Promotion:
    """What stands for an entry of the log while that cannot be read: no entry has its number."""
    return Promotion(
        number=0,
        version=info.version,
        digest=info.digest,
        verdict="bundled",
        actor="malaria",
        reason="The promotion log could not be read yet; this is the model that ships.",
        at=info.created,
        previous="",
        nonce="",
    )


def load_version(registry: Registry, version: str, cache: Path, interpreters: int | None = None) -> Model:
    """Load a version, keeping its file in `cache`. Raises as Registry.fetch and Model.load."""
    info = registry.version(version)
    path = registry.fetch(version, "model.tflite", cache / info.version / "model.tflite")
    return Model.load(path, info, interpreters)
