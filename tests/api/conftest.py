"""Systems behind real servers. Only the training process is played: tests/flow runs real ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from malaria import synthetic, wiring
from malaria.adapters.memory_launcher import MemoryLauncher
from malaria.api.app import create_app
from malaria.domain import Label, ModelVersion
from malaria.services import Services
from malaria.settings import Settings
from malaria.synthetic import SyntheticCell
from malaria.trigger import Trigger
from tests.api.server import client


@dataclass
class System:
    """A laptop system and an HTTP client of it."""

    services: Services
    http: httpx.Client
    launcher: MemoryLauncher


def make(home: Path, models: Path, **settings: object) -> tuple[Services, MemoryLauncher]:
    services = wiring.local(home, Settings(home=home, shipped=models, **settings))  # type: ignore[arg-type]
    launcher = MemoryLauncher()
    trigger = Trigger(services.objects, services.jobs, launcher, services.clock)
    return replace(services, launcher=launcher, trigger=trigger), launcher


def another(services: Services) -> ModelVersion:
    """Publish the served network with another operating point."""
    registry, first = services.registry, services.served.model.info
    file = registry.fetch(first.version, "model.tflite", services.home / "copy.tflite")
    made = replace(first, version=f"20200101-{first.digest[:8]}", threshold=0.25, lineage={"method": "adapt"})
    registry.publish(made, {"model.tflite": file})
    return made


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[System]:
    """One system for all tests that change nothing in it but its counters."""
    services, launcher = make(tmp_path_factory.mktemp("shared"), models_dir)
    with client(create_app(services)) as http:
        yield System(services, http, launcher)


@pytest.fixture(scope="session")
def http(shared: System) -> httpx.Client:
    return shared.http


@pytest.fixture
def own(home: Path, models_dir: Path) -> Iterator[System]:
    """A system of the test's own."""
    services, launcher = make(home, models_dir)
    with client(create_app(services)) as http:
        yield System(services, http, launcher)


@pytest.fixture(scope="session")
def cells() -> list[SyntheticCell]:
    """Cells of both classes in turn."""
    return list(synthetic.generate(12, seed=11))


@pytest.fixture(scope="session")
def png(cells: list[SyntheticCell]) -> bytes:
    """A parasitized cell."""
    return next(cell for cell in cells if cell.label is Label.PARASITIZED).png()


@pytest.fixture
def upload(tmp_path: Path) -> bytes:
    """A small ZIP of labelled cells."""
    return synthetic.write(tmp_path / "cells.zip", 6, seed=12).read_bytes()
