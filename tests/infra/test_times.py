"""From an upload to the served model: what is read, from where, and what stops a round."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.local import times
from malaria.tours.demo import Stuck


class Api:
    """An API at which an upload becomes a job that ends, and its version is served once it was asked for."""

    def __init__(self, verdict: str) -> None:
        self.verdict, self.served, self.put_at = verdict, ["v1"], datetime.max.replace(tzinfo=UTC)
        self.looks: Iterator[int] = iter(range(99))

    def put(self, name: str) -> None:
        self.name, self.put_at = name, datetime.now(UTC)

    def __call__(self, asked: httpx.Request) -> httpx.Response:
        if asked.url.path == "/model/info":
            return httpx.Response(200, json={"version": self.served[-1]})
        if asked.url.path == "/models/rollback":
            assert json.loads(asked.content)["actor"] == "times"
            self.served.append("v1")
            return httpx.Response(200, json={})
        ended = next(self.looks) > 0
        if ended and self.verdict == "accepted":
            self.served.append("v2")
        when = [(self.put_at + timedelta(seconds=s)).isoformat() for s in (1, 3, 40)]
        row = {
            "name": self.name,
            "created": when[0],
            "started": when[1],
            "finished": when[2] if ended else None,
        }
        told = {**row, "verdict": self.verdict, "version": "v2", "reason": "why it was so"}
        return httpx.Response(200, json={"tasks": [{"name": "another", "finished": when[0]}, told]})


def _http(api: Api) -> httpx.Client:
    return httpx.Client(base_url="http://api", transport=httpx.MockTransport(api))


def test_a_round_tells_each_step_and_puts_back_what_was_served() -> None:
    api = Api("accepted")
    with _http(api) as http:
        found = times.once(http, api.put, "round-1.zip")
    assert list(found) == list(times.STEPS)
    assert [round(found[step]) for step in ("row", "running", "published")] == [1, 3, 40]
    assert 0 < found["served"] < 30
    assert api.served == ["v1", "v2", "v1"]


def test_a_model_that_was_not_accepted_stops_the_round_with_its_reason() -> None:
    api = Api("undecidable")
    with _http(api) as http, pytest.raises(Stuck, match="why it was so"):
        times.once(http, api.put, "round-1.zip")
    assert api.served == ["v1"]


def test_the_table_tells_the_median_and_all() -> None:
    shown = times.table([dict.fromkeys(times.STEPS, seconds) for seconds in (1.0, 9.0, 2.04)])
    assert shown.rows[0] == ["the job's row is written", "2.0", "1.0 to 9.0"]
    assert len(shown.rows) == len(times.STEPS)
