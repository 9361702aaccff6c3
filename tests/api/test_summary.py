"""GET /metrics/summary: what a laptop's server tells of itself, and of the pictures it answered."""

import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from malaria import synthetic, wiring
from malaria.api.app import create_app
from malaria.errors import Busy
from malaria.pulse import Pulse
from malaria.settings import Settings
from malaria.vitals import Vitals
from tests.api.asking import good, predict, problem
from tests.api.conftest import System, another
from tests.api.server import client


def told(http: httpx.Client, window: str = "1h") -> dict[str, object]:
    answer: dict[str, object] = good(http.get("/metrics/summary", params={"window": window}))
    return answer


def test_requests_and_pictures_are_counted(own: System) -> None:
    pictures = [cell.png() for cell in synthetic.generate(6, seed=4)]
    answers = [good(predict(own.http, picture)) for picture in pictures]
    problem(predict(own.http, b"no picture"), 422, "unreadable-image")
    total = good(own.http.get("/metrics/summary", params={"window": "1h"}))["total"]
    assert (total["requests"], total["client_errors"], total["server_errors"]) == (7, 1, 0)
    called = [answer["prediction"] for answer in answers]
    assert total["pictures"] == 6
    assert total["parasitized"] == called.count("Parasitized")
    assert total["uninfected"] == called.count("Uninfected")
    assert total["review"] == sum(answer["needs_review"] for answer in answers)
    assert total["latency_ms"]["p50"] <= total["latency_ms"]["p95"] <= total["latency_ms"]["p99"]
    assert 0.5 <= total["confidence"]["p50"] <= 1.02, "within the 2.5% of its buckets"
    assert total["feature_distance"]["p90"] > 0
    assert total["memory_mb"] > 50
    assert total["cpu_cores"] > 0


def test_the_steps_add_up_to_the_total(own: System) -> None:
    for picture in (cell.png() for cell in synthetic.generate(3, seed=4)):
        good(predict(own.http, picture))
    answer = good(own.http.get("/metrics/summary", params={"window": "6h"}))
    assert len(answer["steps"]) == 72
    assert sum(step["pictures"] for step in answer["steps"]) == answer["total"]["pictures"] == 3
    assert sum(step["requests"] for step in answer["steps"]) == answer["total"]["requests"]
    assert answer["steps"][0]["latency_ms"]["p50"] is None
    assert answer["steps"][0]["at"] == answer["start"]


def test_it_is_compressed_where_the_caller_takes_that(own: System) -> None:
    """A screen asks for it again and again, perhaps over a poor line."""
    sizes = {}
    for taken in ("identity", "gzip"):
        with own.http.stream("GET", "/metrics/summary", headers={"Accept-Encoding": taken}) as answer:
            sizes[answer.headers.get("content-encoding", "identity")] = len(b"".join(answer.iter_raw()))
    assert sizes["gzip"] < sizes["identity"] / 10


def test_versions_are_told_in_the_order_in_which_they_were_served(own: System) -> None:
    first = own.services.served.model.info.version
    second = another(own.services).version
    own.services.registry.promote(second, verdict="manual", actor="ada", reason="a test")
    served = good(own.http.get("/metrics/summary"))["served"]
    assert [(one["version"], one["until"] is None) for one in served] == [(first, False), (second, True)]
    assert served[0]["until"] == served[1]["since"]


def test_the_page_itself_is_no_request(models_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>")
    (page / "routes.json").write_text('["/", "/monitor"]')
    (page / "assets" / "a.js").write_text("//")
    services = wiring.local(tmp_path / "home", Settings(home=tmp_path / "home", shipped=models_dir, ui=page))
    with client(create_app(services)) as http:
        for path in ("/", "/monitor", "/assets/a.js"):
            assert http.get(path).status_code == 200
        good(http.get("/health"))
        total = good(http.get("/metrics/summary"))["total"]
    assert total["requests"] == 1


def test_figures_survive_a_restart(models_dir: Path, tmp_path: Path) -> None:
    def pictures() -> int:
        services = wiring.local(tmp_path, Settings(home=tmp_path, shipped=models_dir))
        assert services.recorder is not None
        with client(create_app(services)) as http, Pulse(services.recorder, Vitals()):
            good(predict(http, next(synthetic.generate(1, seed=2)).png()))
            total = good(http.get("/metrics/summary"))["total"]
        return int(total["pictures"])

    assert [pictures(), pictures()] == [1, 2]


def test_a_pulse_tells_that_the_server_is_there(own: System) -> None:
    recorder = own.services.recorder
    assert recorder is not None
    pulse = Pulse(recorder, Vitals())
    for _ in range(2):
        time.sleep(0.2)
        pulse.beat()
    total = good(own.http.get("/metrics/summary"))["total"]
    assert 0 < total["up"] <= 1


def test_a_pulse_outlives_a_locked_file(own: System, caplog: pytest.LogCaptureFixture) -> None:
    recorder = own.services.recorder
    assert recorder is not None
    pulse = Pulse(Refusing(recorder), Vitals())  # type: ignore[arg-type]
    pulse.beat()
    pulse.beat()
    assert [record.levelname for record in caplog.records if "kept in memory" in record.message] == [
        "WARNING"
    ]


class Refusing:
    def __init__(self, recorder: object) -> None:
        self._recorder = recorder

    def tell(self, *told: object, **more: str) -> None: ...

    def flush(self) -> None:
        raise Busy("The file of figures cannot be used now.")


@pytest.mark.parametrize("window", ["2h", "", "1H"])
def test_another_window_is_refused(http: httpx.Client, window: str) -> None:
    told = problem(http.get("/metrics/summary", params={"window": window}), 422, "invalid-request")
    assert "24h" in str(told)


def test_a_file_that_is_no_database_is_told(own: System) -> None:
    path = own.services.home / "history.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(b"no database" * 1000)
    told = problem(own.http.get("/metrics/summary"), 500, "damaged")
    assert "history.sqlite" in told["detail"]


def test_each_window_has_its_steps(http: httpx.Client) -> None:
    steps = {window: len(told(http, window)["steps"]) for window in ("1h", "24h", "7d", "30d")}  # type: ignore[arg-type]
    assert steps == {"1h": 60, "24h": 96, "7d": 84, "30d": 120}
