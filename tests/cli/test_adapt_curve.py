import json
from pathlib import Path

import pytest

from malaria import roles, synthetic
from malaria.adapt_curve import played
from malaria.domain import ModelVersion, Role
from tests.cli.conftest import Run
from tests.unit.test_evaluate_fields import field


@pytest.fixture
def smears(tmp_path: Path) -> Path:
    for i in range(6):
        field(tmp_path / "smears", f"f{i}", (0, 60), (0, 130), (2, 200), (0, 70), (1, 180), (5, 250))
    return tmp_path / "smears"


def test_settings_are_compared_on_a_laboratory(
    run: Run, smears: Path, tmp_path: Path, shipped_info: ModelVersion
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[[variant]]\nname = "eager"\nfewest = 1\nbase_loss = 1.0\n[[variant]]\nname = "wary"\nfewest = 99\n'
    )
    told = run(
        *("adapt-curve", "--site", f"bbbc041={smears}", "--plan", plan, "--out", tmp_path / "out"),
        *("--cells", 12, "--draws", 2),
    )
    assert told.exit_code == 0, told.stderr
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert found["made"]["model"] == shipped_info.version
    eager, wary = (found["uploads"][name]["bbbc041"] for name in ("eager", "wary"))
    assert [one["cells"] for one in eager] == [12, 12]
    assert not any(one["changed"] for one in wary)
    assert all(one["base"]["accuracy"][0] == one["base"]["accuracy"][1] for one in wary)
    assert "| eager | 12 |" in (tmp_path / "out" / "report.md").read_text()


def test_nih_cells_play_a_laboratory(run: Run, tmp_path: Path, models_dir: Path) -> None:
    known = roles.load(models_dir / "roles.json")
    actors = sorted(p for p, role in known.items() if role == Role.TRAIN and played(p))[:4]
    cells = tmp_path / "cells"
    for i, cell in enumerate(synthetic.generate(24, 3)):
        (cells / cell.label.text).mkdir(parents=True, exist_ok=True)
        (cells / cell.label.text / f"{actors[i % 4]}thin_cell_{i}.png").write_bytes(cell.png())
    told = run(
        *("adapt-curve", "--simulated", cells, "--out", tmp_path / "out", "--cells", 10, "--draws", 1),
    )
    assert told.exit_code == 0, told.stderr
    [upload] = json.loads((tmp_path / "out" / "report.json").read_text())["uploads"]["in use"]["simulated"]
    assert upload["cells"] == 10


@pytest.mark.parametrize(
    ("plan", "said"),
    [("[[variant]]\npenalty = 1.0\n", "name"), ('[[variant]]\nname = "a"\npenalty = "x"\n', "penalty")],
)
def test_a_plan_that_cannot_be_read_is_told(
    run: Run, smears: Path, tmp_path: Path, plan: str, said: str
) -> None:
    (tmp_path / "plan.toml").write_text(plan)
    told = run("adapt-curve", "--site", f"bbbc041={smears}", "--plan", tmp_path / "plan.toml")
    assert told.exit_code == 2
    assert said in told.stderr


def test_a_laboratory_must_be_named(run: Run) -> None:
    told = run("adapt-curve")
    assert told.exit_code == 2
    assert "--site" in told.stderr


def test_a_folder_without_memory_is_told(run: Run, smears: Path, tmp_path: Path) -> None:
    told = run("adapt-curve", "--site", f"bbbc041={smears}", "--model", tmp_path)
    assert told.exit_code == 2
    assert "model.tflite" in told.stderr
