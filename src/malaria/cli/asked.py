"""`malaria predict --url`: pictures answered by a server, by the key in MALARIA_KEY."""

import itertools
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

from malaria.address import KEY, target
from malaria.cli.pictures import Picture
from malaria.cli.rows import Row
from malaria.domain import Reason
from malaria.errors import BadOptions, Busy, Forbidden, MalariaError, Unauthorized, UnreadableImage

if TYPE_CHECKING:
    import httpx

AT_ONCE, TRIES, LONGEST = 4, 5, 30.0
"""Pictures asked about at the same time; how often, where the server has enough; seconds between at most."""


class Refused(MalariaError):
    """What the server said of a picture, under the code that it gave."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self._code = code

    @property
    def code(self) -> str:
        return self._code


class Server:
    """A server that answers pictures; a context manager closes what it holds.

    Raises BadOptions for what is no address.
    """

    def __init__(self, url: str) -> None:
        import httpx

        try:
            self._at = target(url, os.environ)
        except ValueError as error:
            raise BadOptions(str(error)) from None
        self._http = httpx.Client(base_url=self._at.url, headers=dict(self._at.headers), timeout=60)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ask")

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._http.close()

    def serves(self, threshold: float | None) -> tuple[str, float]:
        """The version that it serves, and the threshold that holds: this one, else the version's. Raises
        MalariaError where it does not say."""
        told = self._read(self._ask("GET", "/model/info"))
        if "version" not in told or "threshold" not in told:
            raise BadOptions(f"{self._at.url} does not tell which model it serves: is it the address of one?")
        return str(told["version"]), float(told["threshold"]) if threshold is None else threshold

    def answers(self, pictures: Sequence[Picture], threshold: float | None) -> Iterator[Row]:
        """An answer or an error for each picture, in order. Raises MalariaError where it answers none."""
        waiting: deque[Future[Row]] = deque()
        for picture in pictures:
            waiting.append(self._pool.submit(self._row, picture, threshold))
            if len(waiting) > 2 * AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _row(self, picture: Picture, threshold: float | None) -> Row:
        try:
            content = picture.read()
        except MalariaError as error:
            return Row(picture.name, error=error)
        except OSError as error:
            refused = UnreadableImage(f"The file cannot be read: {error.strerror or error}.")
            return Row(picture.name, error=refused)
        asked = {} if threshold is None else {"threshold": threshold}
        try:
            told = self._read(self._ask("POST", "/predict", params=asked, files={"file": ("cell", content)}))
        except Refused as error:
            return Row(picture.name, error=error)
        return Row(picture.name, _answer(told), version=str(told["model_version"]))

    def _ask(self, method: str, path: str, **sent: Any) -> "httpx.Response":
        """An answer, asked for again where the server has enough. Raises Busy."""
        import httpx

        for tried in itertools.count(1):
            try:
                answer = self._http.request(method, path, **sent)
            except httpx.HTTPError as error:
                why = str(error) or type(error).__name__
                raise Busy(f"No server answers at {self._at.url} ({why}).") from None
            if answer.status_code not in (429, 503) or tried == TRIES:
                return answer
            time.sleep(min(LONGEST, _seconds(answer.headers.get("retry-after", ""))))
        raise AssertionError("it counts without end")

    def _read(self, answer: "httpx.Response") -> dict[str, Any]:
        """The JSON of a good answer. Raises Refused where the picture is at fault, else what stops a run."""
        try:
            told = answer.json()
        except ValueError:
            told = None
        told = told if isinstance(told, dict) else {}
        if answer.is_success and told:
            return told
        said = str(told.get("detail") or told.get("message") or f"status {answer.status_code}, and no reason")
        where = f"{self._at.url} says: {said}"
        if answer.status_code in (401, 403):
            kind = Unauthorized if answer.status_code == 401 else Forbidden
            raise kind(f"{where} The key is read from {KEY}.")
        if answer.status_code in (400, 413, 422) and "code" in told:
            raise Refused(said, str(told["code"]))
        raise Busy(where)


def _answer(told: dict[str, Any]) -> Any:
    from malaria.predict import Answer

    review = told.get("review")
    return Answer(
        told["prediction"],
        told["confidence"],
        told["probabilities"] or {},
        told["threshold"],
        Reason(review["code"], review["text"]) if review else None,
    )


def _seconds(told: str) -> float:
    return float(told) if told.isdigit() else 1.0
