"""A laboratory with another stain: loses points, is adapted to, is served; poison and crumbs are not.

The shipped model, the default bounds, real cells, a real server and a real training process.
"""

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from malaria.domain import Label
from malaria.tours.demo import FAINT
from tests.flow.server import RunningServer, start_server
from tests.flow.sites import Site, make_site

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def site(real_cells: Path, models_dir: Path) -> Site:
    return make_site(real_cells / "nih-cells-part1.zip", models_dir / "roles.json", FAINT)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with start_server(tmp_path / "home") as running:
        yield running


def drop(server: RunningServer, site: Site, name: str, **how: object) -> dict:  # type: ignore[type-arg]
    """Drop an upload into the inbox and wait for the verdict on it."""
    partial = site.zip(server.home / "inbox" / f".{name}.part", **how)  # type: ignore[arg-type]
    partial.rename(server.home / "inbox" / name)
    return server.verdict_on(name)


def accuracy(server: RunningServer, site: Site) -> float:
    files = [("files", (cell.name, io.BytesIO(data), "image/png")) for cell, data in site.cells]
    told = server.client.post("/predict/batch", files=files).raise_for_status().json()["results"]
    right = [t["prediction"] == cell.label.text for t, (cell, _) in zip(told, site.cells, strict=True)]
    return float(np.mean(right))


def test_a_new_site_is_adapted_to_served_and_rolled_back(server: RunningServer, site: Site) -> None:
    shipped = server.version()
    before = accuracy(server, site)
    assert before < 0.93, "the stain shift must cost the shipped model points, or this test shows nothing"
    data = site.cells[0][1]
    first = server.predict(data)

    failures: list[object] = []
    versions: set[str] = set()
    done = threading.Event()

    def keep_asking() -> None:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            while not done.is_set():
                answer = client.post("/predict", files={"file": ("cell.png", data, "image/png")})
                if answer.status_code == 200:
                    versions.add(answer.json()["model_version"])
                else:
                    failures.append(answer.text)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        job = drop(server, site, "site.zip")
        ended = time.monotonic()
        assert job["verdict"] == "accepted", job["receipt"]
        while server.version() != job["version"]:
            assert time.monotonic() - ended < 30, "the server did not take up the promoted model in time"
            time.sleep(0.1)
        time.sleep(0.5)
    finally:
        done.set()
        asking.join()
    assert failures == []
    assert versions == {shipped, job["version"]}

    receipt = job["receipt"]
    champion, challenger = receipt["site"]["champion"], receipt["site"]["challenger"]
    print(f"site accuracy {champion['accuracy']:.3f} -> {challenger['accuracy']:.3f}: {job['reason']}")
    assert challenger["accuracy"] > champion["accuracy"]
    assert accuracy(server, site) > before

    rolled = server.client.post("/models/rollback", json={"actor": "test", "reason": "back to what was"})
    assert rolled.status_code == 200, rolled.text
    server.wait_for_version(shipped)
    again = server.predict(data)
    assert again["probabilities"] == first["probabilities"]


def test_flipped_labels_are_rejected_with_a_reason(server: RunningServer, site: Site) -> None:
    shipped = server.version()
    job = drop(server, site, "flipped.zip", flipped=True)
    assert (job["state"], job["verdict"]) == ("succeeded", "rejected")
    assert "label" in job["reason"].lower() or "base" in job["reason"].lower()
    assert server.version() == shipped


def test_ten_cells_alone_are_undecidable(server: RunningServer, site: Site) -> None:
    shipped = server.version()
    job = drop(server, site, "ten.zip", only=10)
    assert job["verdict"] == "undecidable"
    assert job["receipt"]["advice"]
    assert server.version() == shipped


def test_the_site_has_both_classes(site: Site) -> None:
    assert {cell.label for cell, _ in site.cells} == set(Label)
