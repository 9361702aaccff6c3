"""A run from its first option to its exit code, as Locust's events lead through it."""

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from locust import events
from locust.runners import WorkerRunner

from load import checks, shapes, verdict
from load import course as courses
from load.answers import Answer, Wrong
from load.cells import REAL, Picture, cells
from load.course import Course, Shape
from load.figures import Figures, counted
from load.users import Asking
from load.verdict import Bounds
from malaria.address import KEY, Target, target

log = logging.getLogger(__name__)

MEET_SECONDS = 60.0
"""For the first answer: an instance on AWS may have to start for it."""

USUAL = Bounds()
OPTIONS: tuple[tuple[str, type, Any, str], ...] = (
    ("max-failures", float, USUAL.failures, "Share of requests that may fail. Default: 0.001."),
    (
        "max-refused",
        float,
        USUAL.refused,
        "Share that may be told to come back later, but for a ramp. Default: 0.",
    ),
    (
        "p95",
        float,
        USUAL.p95,
        "Bound of the 95th percentile of all but batches, ms; 0: none. Default: 1000.",
    ),
    ("p95-batch", float, USUAL.p95_batch, "The same for batches, ms. Default: 10000."),
    ("min-users", int, USUAL.min_users, "Users that a ramp must find borne. Default: 1."),
    ("max-creep", float, USUAL.creep, "Times as slow as at first a soak may become; 0: any. Default: 2."),
)


class Session:
    """One run. course: None on the plain command line, whose users are Locust's own affair."""

    def __init__(self, environment: Any) -> None:
        self._environment, self._options = environment, environment.parsed_options
        self._began, self._said = time.monotonic(), list[str]()
        self._shape = Shape(self._options.shape) if self._options.shape else None
        self._staged = self._course(self._shape) if self._shape else None

    def _course(self, shape: Shape) -> shapes.Staged:
        users, rate, seconds = courses.USUAL[shape]
        options = self._options
        planned = courses.stages(
            shape, options.num_users or users, options.spawn_rate or rate, options.run_time or seconds
        )
        return shapes.use(self._environment, Course(planned, self.figures, options.p95))

    def figures(self) -> Figures:
        return counted(self._environment.stats.entries.values())

    def begin(self) -> None:
        self._began = time.monotonic()

    def end(self) -> None:
        """Come to the verdict, write it where that was asked for, and set the exit code."""
        if self._staged is not None:
            self._staged.close()
        steps = self._staged.course.steps if self._staged else []
        figures, seconds = self.figures(), time.monotonic() - self._began
        errors = len(self._environment.runner.exceptions)
        found = verdict.judge(figures, steps, self._shape, self._bounds(), errors)
        self._said = verdict.lines(found, steps, self._shape)
        if self._options.verdict:
            told = {"shape": self._shape, "cores_here": os.cpu_count()}
            self._write(told | verdict.told(found, figures, steps, seconds))
        self._environment.process_exit_code = 0 if found.passed else 1

    def say(self) -> None:
        """After Locust's own tables."""
        for line in self._said:
            log.info("%s", line)

    def _bounds(self) -> Bounds:
        options = self._options
        return Bounds(
            failures=options.max_failures,
            refused=options.max_refused,
            p95=options.p95,
            p95_batch=options.p95_batch,
            min_users=options.min_users,
            creep=options.max_creep,
        )

    def _write(self, told: Mapping[str, Any]) -> None:
        file = Path(self._options.verdict)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(told, indent=1) + "\n")


def install() -> None:
    """Have Locust take the options, the shapes and the verdict of this package.

    Pictures are made here: later, workers would miss their first heartbeats over it.
    """
    real = os.environ.get(REAL)
    with _in_a_line():
        pictures = cells(Path(real) if real else None)
    events.init_command_line_parser.add_listener(_options)
    events.init.add_listener(lambda environment, **_: _init(environment, pictures))


@contextlib.contextmanager
def _in_a_line() -> Iterator[None]:
    """Tell what cannot be in a line."""
    try:
        yield
    except ValueError as error:
        raise SystemExit(str(error)) from None


def _options(parser: Any) -> None:
    group = parser.add_argument_group("Malaria", "Shapes of the load, and the bounds that a run must keep.")
    group.add_argument(
        "--shape",
        choices=[shape.value for shape in Shape],
        env_var="LOCUST_SHAPE",
        help="How many users ask and when, within -u, -r and -t. Default: as Locust does it without a shape.",
    )
    for name, kind, usual, text in OPTIONS:
        variable = f"LOCUST_{name.upper().replace('-', '_')}"
        group.add_argument(f"--{name}", type=kind, default=usual, env_var=variable, help=text)
    group.add_argument(
        "--verdict", metavar="FILE", help="Where to write the verdict and its figures, as JSON."
    )


def _init(environment: Any, pictures: Sequence[Picture]) -> None:
    """Before anybody asks: the address, and the course."""
    with _in_a_line():
        asked = target(environment.host, os.environ)
        environment.host = asked.url
        environment.asking = Asking(pictures, dict(asked.headers))
        if isinstance(environment.runner, WorkerRunner):  # the verdict is its master's
            environment.events.quitting.add_listener(_no_verdict)
            return
        if environment.parsed_options.headless:
            _meet(asked, environment.asking)
        session = Session(environment)
    environment.events.test_start.add_listener(lambda **_: session.begin())
    environment.events.quitting.add_listener(lambda **_: session.end())
    environment.events.quit.add_listener(lambda **_: session.say())


def _no_verdict(environment: Any, **_: Any) -> None:
    environment.process_exit_code = 0


def _meet(asked: Target, asking: Asking) -> None:
    """Ask once before anybody does: a wrong address or key is told in a line, and not after an hour."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        came = httpx.get(f"{asked.url}/model/info", headers=dict(asked.headers), timeout=MEET_SECONDS)
    except httpx.TransportError as error:
        raise SystemExit(
            f"No server answers at {asked.url} ({error}). Start one with `make serve`."
        ) from None
    answer = Answer(
        came.status_code, {name.lower(): text for name, text in came.headers.items()}, came.content
    )
    try:
        asking.versions.learn(*checks.served(answer))
    except Wrong as wrong:
        how = f" Put a key into {KEY}." if answer.status in (401, 403) else ""
        raise SystemExit(f"{asked.url}/model/info is not answered as it should be: {wrong}.{how}") from None
