"""`malaria predict --url`: the same answers, by a server that runs elsewhere."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from malaria import synthetic
from malaria.api.app import create_app
from malaria.cli import asked
from malaria.domain import Scope
from malaria.keys import Keys
from malaria.services import Services
from tests.api.server import running
from tests.cli.conftest import Run
from tests.load.servers import Refusing


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    return synthetic.write(tmp_path / "cells", 12, 21)


@pytest.fixture
def guarded(services: Services) -> Services:
    return replace(services, settings=services.settings.model_copy(update={"access": "keys"}))


@pytest.fixture
def url(guarded: Services) -> Iterator[str]:
    """A server that asks for a key."""
    with running(create_app(guarded)) as found:
        yield found


def let_in(monkeypatch: pytest.MonkeyPatch, services: Services, scope: Scope) -> None:
    text = Keys(services.objects, services.clock).add(f"may-{scope.value}", [scope])
    monkeypatch.setenv("MALARIA_KEY", text)


def test_a_server_answers_as_its_model_does_here(
    run: Run, url: str, services: Services, cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cells / "Parasitized" / "a-note.png").write_text("not a picture")
    let_in(monkeypatch, services, Scope.PREDICT)
    here, there = (run("predict", cells, "--json", *more) for more in ([], ["--url", url]))
    assert (here.exit_code, there.exit_code) == (1, 1), there.stderr
    first, second = json.loads(here.stdout), json.loads(there.stdout)
    assert second["summary"] == first["summary"]
    assert second["model_version"] == first["model_version"]
    for one, other in zip(first["results"], second["results"], strict=True):
        assert other["file"] == one["file"]
        if "error" in one:
            assert other["error"]["code"] == one["error"]["code"] == "unreadable-image"
        else:
            assert other["prediction"] == one["prediction"]
            assert other["confidence"] == pytest.approx(one["confidence"], abs=1e-6)
            assert other["needs_review"] == one["needs_review"]


def test_its_threshold_and_csv(
    run: Run, url: str, services: Services, cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in(monkeypatch, services, Scope.PREDICT)
    told = run("predict", cells, "--csv", "--threshold", "0", "--url", url)
    rows = list(csv.DictReader(io.StringIO(told.stdout)))
    assert {row["prediction"] for row in rows} == {"Parasitized"}
    assert {float(row["threshold"]) for row in rows} == {0.0}


def test_who_has_no_key_or_another_is_told_so(
    run: Run, url: str, services: Services, cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run("predict", cells, "--url", url)
    assert told.exit_code == 1 and "A key is needed" in told.stderr and "MALARIA_KEY" in told.stderr
    let_in(monkeypatch, services, Scope.CONFIRM)
    told = run("predict", cells, "--url", url)
    assert told.exit_code == 1 and "may not predict" in told.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--url", "nowhere"], "no address of a server"),
        (["--url", "http://127.0.0.1:9"], "No server answers at http://127.0.0.1:9"),
        (["--url", "http://127.0.0.1:9", "--model", "compact_cnn"], "leave --model"),
    ],
)
def test_what_cannot_be_asked_is_said(run: Run, cells: Path, more: list[str], says: str) -> None:
    told = run("predict", cells, *more)
    assert told.exit_code in (1, 2)
    assert says in " ".join(told.stderr.split())


def test_a_server_that_has_enough_is_asked_again_and_then_given_up(
    run: Run, services: Services, cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    monkeypatch.setattr(asked, "LONGEST", 0.01)
    app: Any = Refusing(create_app(services), {"Retry-After": "1"}, seen)
    with running(app) as busy:
        told = run("predict", next(cells.rglob("*.png")), "--url", busy)
    assert told.exit_code == 1 and "Busy. Try again." in told.stderr
    assert len(seen) == asked.TRIES


def test_a_page_that_is_no_server_of_ours_is_said(run: Run, cells: Path, services: Services) -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>"})

    app: Any = page
    with running(app) as other:
        told = run("predict", cells, "--url", other)
    assert told.exit_code == 1 and other in told.stderr and "Traceback" not in told.stderr
