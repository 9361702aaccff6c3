import json
from dataclasses import replace

import pytest

from malaria import memory
from malaria.domain import ModelVersion
from malaria.gate_looks import GateLook, set_of
from malaria.services import Services
from tests.cli.conftest import Run


def test_a_whole_system_is_found_whole(run: Run, services: Services) -> None:
    told = run("doctor", "--json")
    assert told.exit_code == 0, told.stdout
    found = json.loads(told.stdout)
    assert found["ok"] is True
    assert all(check["ok"] for check in found["checks"])
    assert found["paths"]["home"] == str(services.home)
    assert "promotion log" in run("doctor").stdout


def test_a_damaged_model_and_an_unreadable_log_are_found(
    run: Run, services: Services, shipped_info: ModelVersion
) -> None:
    services.objects.put(f"models/{shipped_info.version}/model.tflite", b"bits rot")
    found = json.loads(run("doctor", "--json").stdout)
    broken = {check["check"] for check in found["checks"] if not check["ok"]}
    assert "kept models" in broken
    assert "promotion log" not in broken
    (entry,) = services.objects.list("promotions/")
    services.objects.put(entry.key, b"{}")
    told = run("doctor", "--json")
    assert told.exit_code == 1
    (start,) = json.loads(told.stdout)["checks"]
    assert (start["check"], start["ok"]) == ("start", False)
    assert "promotion" in start["found"]


def test_a_log_that_was_changed_afterwards_is_found(
    run: Run, services: Services, shipped_info: ModelVersion
) -> None:
    (first,) = services.objects.list("promotions/")
    file = services.registry.fetch(shipped_info.version, "model.tflite", services.home / "copy.tflite")
    services.registry.publish(replace(shipped_info, version="20990101-again"), {"model.tflite": file})
    services.registry.promote("20990101-again", verdict="manual", actor="test", reason="a second entry")
    changed = services.objects.get(first.key).replace(b"shipped with", b"smuggled into")
    services.objects.put(first.key, changed)
    found = {c["check"]: c for c in json.loads(run("doctor", "--json").stdout)["checks"]}
    assert found["promotion log"]["ok"] is False
    assert "ntry 1" in found["promotion log"]["found"]
    assert found["kept models"]["ok"] is True


def test_looks_at_the_gate_patients_of_now_are_told(
    run: Run, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALARIA_MAX_GATE_LOOKS", "1")
    of = set_of(memory.load(services.at_hand.read(services.served.model.info, "memory.npz")))
    told = []
    for at in ("earlier", of, "earlier", of):
        services.gate_looks.add(GateLook(0, services.clock.now(), "a", "b", "job", "rejected", 9, 2, at))
        checks = {c["check"]: c["found"] for c in json.loads(run("doctor", "--json").stdout)["checks"]}
        told.append(checks["gate patients"])
    once, twice = "looked at 1 times of 1", "looked at 2 times of 1; fresh ones are due"
    assert told == ["looked at 0 times of 1", once, once, twice]
    assert "compared on them 2 times" in " ".join(run("models", "list").output.split())
