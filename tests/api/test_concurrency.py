"""Many clients at once: every answer right, none lost, and too many refused with a word."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import pytest

from malaria.api.app import create_app
from malaria.api.turnstile import Turnstile
from malaria.errors import Busy
from malaria.synthetic import SyntheticCell
from tests.api.asking import good, predict, problem
from tests.api.conftest import System, make
from tests.api.server import client


def test_32_clients_at_once_get_the_answers_given_alone(
    http: httpx.Client, cells: list[SyntheticCell]
) -> None:
    pictures = [cell.png() for cell in cells]
    alone = [good(predict(http, picture))["probabilities"] for picture in pictures]
    start = threading.Barrier(32)

    def one(number: int) -> list[bool]:
        with httpx.Client(base_url=http.base_url, timeout=60) as mine:
            start.wait(timeout=30)
            equal = []
            for step in range(10):
                i = (number + step) % len(pictures)
                equal.append(good(predict(mine, pictures[i]))["probabilities"] == alone[i])
            return equal

    with ThreadPoolExecutor(32) as clients:
        equal = [one for answers in clients.map(one, range(32)) for one in answers]
    assert len(equal) == 320
    assert all(equal)


def test_promotions_fail_no_request_and_mix_no_models(own: System, png: bytes) -> None:
    registry, first = own.services.registry, own.services.served.model.info
    file = registry.fetch(first.version, "model.tflite", own.services.home / "copy.tflite")
    second = replace(first, version=f"20200101-{first.digest[:8]}", threshold=0.123)
    registry.publish(second, {"model.tflite": file})
    thresholds = {first.version: first.threshold, second.version: second.threshold}
    done, failures, seen = threading.Event(), [], set()

    def ask() -> None:
        with httpx.Client(base_url=own.http.base_url, timeout=60) as mine:
            while not done.is_set():
                answer = predict(mine, png)
                told = answer.json()
                if answer.status_code != 200 or told["threshold"] != thresholds[told["model_version"]]:
                    failures.append(answer.text)
                else:
                    seen.add(told["model_version"])

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    try:
        change = {"actor": "test", "reason": "there and back"}
        good(own.http.post(f"/models/{second.version}/promote", json=change))
        for _ in range(4):
            there = own.http.get("/health").json()["model_version"]
            other = next(version for version in thresholds if version != there)
            good(own.http.post(f"/models/{other}/promote", json=change))
            predict(own.http, png)
    finally:
        done.set()
        for thread in asking:
            thread.join()
    assert failures == []
    assert seen == set(thresholds)


@pytest.fixture
def narrow(home: Path, models_dir: Path) -> Iterator[httpx.Client]:
    """A server with one interpreter, where one prediction may wait."""
    services, _ = make(home, models_dir, interpreters=1, max_waiting=1)
    with client(create_app(services)) as asking:
        yield asking


def test_a_flood_is_answered_or_refused_but_never_wrong(narrow: httpx.Client, png: bytes) -> None:
    alone = good(predict(narrow, png))["probabilities"]

    def one(_: int) -> int:
        with httpx.Client(base_url=narrow.base_url, timeout=60) as mine:
            answer = predict(mine, png)
            if answer.status_code == 503:
                problem(answer, 503, "busy")
                assert int(answer.headers["retry-after"]) >= 1
            else:
                assert good(answer)["probabilities"] == alone
            return answer.status_code

    with ThreadPoolExecutor(32) as clients:
        assert 200 in set(clients.map(one, range(96)))
    assert good(predict(narrow, png))["probabilities"] == alone, "after the flood it answers as before"


def test_the_turnstile_refuses_what_is_too_much_and_lets_go_again() -> None:
    release = threading.Event()

    async def main() -> None:
        turnstile = Turnstile(1, 1, "predictions")
        async with anyio.create_task_group() as group:
            group.start_soon(turnstile.run, release.wait)
            group.start_soon(turnstile.run, release.wait)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(Busy, match="2 predictions"):
                await turnstile.run(lambda: None)
            release.set()
        with pytest.raises(ZeroDivisionError):
            await turnstile.run(lambda: 1 / 0)
        assert [await turnstile.run(lambda: "free") for _ in range(3)] == ["free"] * 3

    anyio.run(main)
