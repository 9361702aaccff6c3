import json

from malaria.domain import ModelVersion
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


def test_a_damaged_model_and_a_changed_log_are_found(
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
    broken = {check["check"] for check in json.loads(told.stdout)["checks"] if not check["ok"]}
    assert "promotion log" in broken
