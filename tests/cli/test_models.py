import json
from dataclasses import replace
from pathlib import Path

import pytest

from malaria.domain import ModelVersion
from malaria.services import Services
from tests.cli.conftest import Run


@pytest.fixture
def other(services: Services, shipped_info: ModelVersion) -> str:
    """A second version, of the same weights."""
    info = replace(shipped_info, version="20990101-" + shipped_info.digest[:8], lineage={"method": "adapt"})
    file = services.registry.fetch(
        shipped_info.version, "model.tflite", services.home / "cache" / "copy.tflite"
    )
    services.registry.publish(info, {"model.tflite": file})
    return info.version


def served(run: Run) -> str:
    (one,) = [m["version"] for m in json.loads(run("models", "list", "--json").stdout) if m["served"]]
    return str(one)


def test_promote_and_roll_back_in_one_step(run: Run, other: str, shipped_info: ModelVersion) -> None:
    assert served(run) == shipped_info.version
    told = run("models", "promote", other, "--reason", "to see", "--actor", "Ada", "--json")
    assert told.exit_code == 0, told.stderr
    entry = json.loads(told.stdout)
    assert (entry["version"], entry["actor"], entry["reason"], entry["verdict"]) == (
        other,
        "Ada",
        "to see",
        "manual",
    )
    assert served(run) == other
    back = run("models", "rollback")
    assert back.exit_code == 0
    assert shipped_info.version in back.stderr
    assert served(run) == shipped_info.version
    history = json.loads(run("models", "history", "--json").stdout)
    assert [e["version"] for e in history] == [shipped_info.version, other, shipped_info.version]


def test_what_cannot_be_promoted_or_rolled_back_is_refused(
    run: Run, other: str, shipped_info: ModelVersion
) -> None:
    assert run("models", "promote", other).exit_code == 2, "a reason is asked for"
    assert run("models", "promote", other, "--reason", " ").exit_code == 2
    assert run("models", "promote", "nothing", "--reason", "x").exit_code == 2
    again = run("models", "promote", shipped_info.version, "--reason", "x")
    assert again.exit_code == 1
    assert "served already" in again.stderr
    assert run("models", "rollback").exit_code == 1
    assert run("models", "rollback", "--to", other).exit_code == 1
    assert served(run) == shipped_info.version


def test_list_and_show_for_people(run: Run, other: str, shipped_info: ModelVersion) -> None:
    listed = run("models", "list").stdout
    assert other in listed
    assert f"* {shipped_info.version}" in " ".join(listed.split())
    shown = run("models", "show").stdout
    assert f"{shipped_info.version} (served)" in shown
    assert shipped_info.digest in shown
    assert "shipped" in shown
    assert json.loads(run("models", "show", other, "--json").stdout)["served"] is False
    assert run("models", "show", "nothing").exit_code == 2


def test_the_list_stands_where_what_is_served_remembers_nothing(run: Run, other: str) -> None:
    assert "compared on them 0 times" in " ".join(run("models", "list").output.split())
    assert run("models", "promote", other, "--reason", "has no memory").exit_code == 0
    listed = run("models", "list")
    assert listed.exit_code == 0 and other in listed.output
    assert "compared on them" not in " ".join(listed.output.split())


def test_what_ships_of_another_network_is_listed_shown_and_promoted(
    run: Run, two_networks: tuple[Path, ModelVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    models, other = two_networks
    monkeypatch.setenv("MALARIA_SHIPPED", str(models))
    assert f"+ {other.version}" in " ".join(run("models", "list").stdout.split())
    kept = {m["version"]: m["kept"] for m in json.loads(run("models", "list", "--json").stdout)}
    assert sorted(kept.values()) == [False, True]
    assert not kept[other.version]
    assert other.network in run("models", "show", other.version).stdout
    told = run("models", "promote", other.version, "--reason", "small machine")
    assert told.exit_code == 0, told.stderr
    assert served(run) == other.version
    assert all(m["kept"] for m in json.loads(run("models", "list", "--json").stdout))


def test_a_person_says_what_a_newcomer_is_served(
    run: Run, two_networks: tuple[Path, ModelVersion], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, other = two_networks
    told = run("models", "default", other.version, "--models", models)
    assert told.exit_code == 0, told.stderr
    assert other.version in told.stderr
    assert not home.exists(), "nothing is served by it yet"
    monkeypatch.setenv("MALARIA_SHIPPED", str(models))
    assert served(run) == other.version
    assert run("models", "default", "ensemble").exit_code == 2
    assert run("models", "default", other.network).exit_code == 0
