"""Who asks: people and pages as a laboratory has them, and a client that gets everything wrong."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from locust import task
from locust.contrib.fasthttp import FastHttpUser

from load import checks
from load.answers import Answer, Wrong, must, retry_after
from load.cells import NOT_A_PICTURE, Form, Picture, form
from load.clumsy import ABSENT, Mistake, mistakes
from load.figures import BATCH, REFUSED
from load.steady import Remembered, Versions

T = TypeVar("T")
FRESH = 3.0
"""Seconds of silence after which a new connection is opened: a server closes silent ones, Uvicorn after five,
and a request that meets the closing is lost by nobody's fault."""
LOST = 1.0
"""Seconds before a user asks again whom nobody answered."""
SEEN = 20
"""Jobs of the list among which an operator looks at one."""
chance = random.Random()  # noqa: S311 - who asks what next is no secret


class Asking:
    """What the users of one process share: pictures, headers, and what was seen before."""

    def __init__(self, pictures: Sequence[Picture], headers: dict[str, str]) -> None:
        self.pictures, self.headers = pictures, headers
        self.versions = Versions()
        self.remembered = Remembered()
        self.forms = {one.name: form("file", [one]) for one in self.pictures}
        self.mistakes = mistakes(self.pictures[0], keyed="Authorization" in headers)


class Caller(FastHttpUser):
    """Asks, checks the answer, and comes back when it was told to."""

    abstract = True
    insecure = False  # a key is sent: the server must be who it says
    thinks: tuple[float, float] = (1.0, 3.0)
    """Shortest and longest time between two questions, seconds."""

    def __init__(self, environment: Any) -> None:
        self.shared = environment.asking
        self.default_headers = dict(self.shared.headers)
        super().__init__(environment)
        self._not_before = self._silent_since = 0.0

    def wait_time(self) -> float:
        """Time to think; longer where the server said when to come back."""
        return max(chance.uniform(*self.thinks), self._not_before - time.monotonic())

    def ask(
        self,
        method: str,
        path: str,
        check: Callable[[Answer], T],
        *,
        name: str | None = None,
        body: Form | None = None,
        headers: dict[str, str] | None = None,
    ) -> T | None:
        """What the check makes of the answer; None where it was wrong, or a refusal that said when to come
        back."""
        if time.monotonic() - self._silent_since > FRESH:
            self.client.client.close()
        sent = dict(headers or {})
        if body is not None:
            sent["Content-Type"] = body.content_type
        with self.client.request(
            method,
            path,
            name=name or path,
            data=body.body if body else None,
            headers=sent,
            catch_response=True,
            allow_redirects=False,  # a key goes where it was meant to go, or nowhere
        ) as response:
            answer, self._silent_since = _answer(response), time.monotonic()
            if not answer.status:
                self._not_before = time.monotonic() + LOST
                response.failure(Wrong(f"no answer: {type(response.error).__name__}"))
                return None
            try:
                seconds = retry_after(answer)
                if seconds is not None:
                    self._not_before = time.monotonic() + seconds * chance.uniform(1.0, 1.2)
                    response.request_meta["name"] = (name or path) + REFUSED
                    response.success()
                    return None
                found = check(answer)
            except Wrong as wrong:
                response.failure(wrong)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                response.failure(Wrong(f"the answer has another shape: {type(error).__name__}"))
            else:
                response.success()
                return found
        return None

    def known(self, version: str) -> None:
        """Raises Wrong where an answer names a version that does not serve, also not by now."""
        if not self.shared.versions.knows(version):
            self.read_log()
            must(
                self.shared.versions.knows(version),
                "the answer is by a version that does not serve",
            )

    def read_log(self) -> None:
        """Ask what was promoted; any instance reads that where it is kept, while what it serves may lag."""

        def check(answer: Answer) -> None:
            for number, version in reversed(checks.promotions(answer)):
                self.shared.versions.learn(number, version)

        self.ask("GET", "/models?limit=20", check)

    def consistent(self, version: str, picture: Picture, told: dict[str, Any]) -> None:
        """Raises Wrong where this version said something else of this picture before."""
        said, likely = told["prediction"], told["probabilities"]
        probability = likely[said] if likely else None
        self.shared.remembered.compare(version, picture.name, said, probability)


class Technician(Caller):
    """Sends one cell after another, and now and then wants to see where the model looked."""

    weight = 6
    thinks = (0.5, 2.0)

    @task(9)
    def predict(self) -> None:
        self._predict("/predict", explained=False)

    @task(1)
    def explain(self) -> None:
        self._predict("/predict?explain=true", explained=True)

    def _predict(self, path: str, *, explained: bool) -> None:
        picture = chance.choice(self.shared.pictures)

        def check(answer: Answer) -> None:
            told = checks.single(answer, picture, explained=explained)
            self.known(told["model_version"])
            self.consistent(told["model_version"], picture, told)

        self.ask("POST", path, check, body=self.shared.forms[picture.name])


class Clinic(Caller):
    """Sends the cells of a patient at once; now and then a letter lies among them, or a table is wanted."""

    weight = 2
    thinks = (2.0, 6.0)

    @task(3)
    def batch(self) -> None:
        self._batch(self._drawn())

    @task(1)
    def batch_with_a_letter(self) -> None:
        sent = self._drawn()
        sent.insert(chance.randrange(len(sent)), NOT_A_PICTURE)
        self._batch(sent)

    @task(1)
    def table(self) -> None:
        sent = self._drawn()
        self.ask(
            "POST",
            BATCH,
            lambda answer: checks.table(answer, sent),
            name=f"{BATCH} (CSV)",
            body=form("files", sent),
            headers={"Accept": "text/csv"},
        )

    def _drawn(self) -> list[Picture]:
        return chance.sample(self.shared.pictures, chance.randint(4, 16))

    def _batch(self, sent: Sequence[Picture]) -> None:
        def check(answer: Answer) -> None:
            told = checks.batch(answer, sent)
            self.known(told["model_version"])
            for picture, entry in zip(sent, told["results"], strict=True):
                if not picture.bad:
                    self.consistent(told["model_version"], picture, entry)

        self.ask("POST", BATCH, check, body=form("files", sent))


class Dashboard(Caller):
    """A page on a wall that asks how things stand; not by /health, which a local AWS answers itself."""

    thinks = (2.0, 5.0)

    @task(4)
    def status(self) -> None:
        self.ask("GET", "/status", checks.status)

    @task(2)
    def model(self) -> None:
        self.ask("GET", "/model/info", lambda answer: self.shared.versions.learn(*checks.served(answer)))

    @task(1)
    def models(self) -> None:
        self.read_log()

    @task(1)
    def quality(self) -> None:
        self.ask("GET", "/metrics/quality", checks.quality)


class Operator(Caller):
    """Watches the jobs; starts none."""

    @task
    def jobs(self) -> None:
        listed = self.ask("GET", f"/retrain/tasks?limit={SEEN}", checks.tasks)
        if listed:
            one = chance.choice(listed)
            path, name = f"/retrain/status/{one}", "/retrain/status/ID"
            self.ask("GET", path, lambda answer: checks.task(answer, one), name=name)


class Clumsy(Caller):
    """Gets everything wrong. That it is refused as it should be is what counts as success."""

    @task
    def mistake(self) -> None:
        made: Mistake = chance.choice(self.shared.mistakes)
        self.ask(
            made.method,
            made.path,
            lambda answer: checks.refusal(answer, made.status, made.code, made.words),
            name=f"{made.path.replace(ABSENT, 'ID')} (bad: {made.what})",
            body=made.body,
            headers=dict(made.headers),
        )


def _answer(response: Any) -> Answer:
    headers = {name.lower(): value for name, value in (response.headers or {}).items()}
    return Answer(response.status_code, headers, response.content or b"")
