import json
import shutil
from pathlib import Path

import pytest

from malaria import codec
from malaria.domain import ModelVersion
from tests.cli.conftest import Run

RESULTS = Path(__file__).parents[2] / "docs" / "results"


def test_the_served_versions_card_is_printed_or_written(
    run: Run, tmp_path: Path, models_dir: Path, shipped_info: ModelVersion
) -> None:
    committed = (models_dir / shipped_info.version / "card.md").read_text()
    told = run("card")
    assert told.exit_code == 0, told.stderr
    assert told.stdout == committed
    assert run("card", shipped_info.network).stdout == committed
    written = run("card", shipped_info.version, "--out", tmp_path / "card.md")
    assert written.exit_code == 0
    assert written.stdout == ""
    assert (tmp_path / "card.md").read_text() == committed
    found = json.loads(run("card", "--json").stdout)
    assert found["version"] == shipped_info.version
    assert {"limits", "figures", "provenance"} <= {section["name"] for section in found["sections"]}


def test_what_cannot_be_told_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("card", "20200101-none").exit_code == 2
    assert run("card", "compact_cnn", "--report", tmp_path / "none").exit_code == 2
    other = run("card", "compact_cnn", "--report", RESULTS / "mobilenet_v2" / "gate")
    assert other.exit_code == 2
    assert "not of" in other.stderr
    for told in (
        ("--attach",),
        ("compact_cnn", "--attach", "--json"),
        ("compact_cnn", "--attach", "--out", "x"),
    ):
        refused = run("card", *told)
        assert refused.exit_code == 2
        assert "leave out --out and --json" in refused.stderr


def test_reports_are_attached_to_what_ships(
    run: Run,
    models_dir: Path,
    home: Path,
    tmp_path: Path,
    shipped_info: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = tmp_path / "ships"
    folder = models / shipped_info.version
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(codec.to_json(shipped_info)))
    for name in ("credits.json", "test-looks.jsonl"):
        shutil.copy(models_dir / name, models)
    (folder / "memory.npz").symlink_to(models_dir / shipped_info.version / "memory.npz")
    (models / "shipped.json").write_text(json.dumps({"version": shipped_info.version}))
    monkeypatch.setenv("MALARIA_SHIPPED", str(models))
    assert run("card", shipped_info.network, "--attach").exit_code == 0
    assert "This was not measured." in (folder / "card.md").read_text()
    assert not (folder / "evaluations.json").exists()
    sets = sorted((RESULTS / shipped_info.network).iterdir())
    for one in sets:  # one after the other: those before are kept
        told = run("card", shipped_info.network, "--attach", "--report", one)
        assert told.exit_code == 0, told.stderr
    assert (folder / "card.md").read_text() == (models_dir / shipped_info.version / "card.md").read_text()
    kept = json.loads((folder / "evaluations.json").read_text())
    assert list(kept) == sorted(one.name for one in sets)
    assert not home.exists(), "what ships is made alike everywhere, whatever a home keeps"
    assert not list(models.rglob("partial-*"))
