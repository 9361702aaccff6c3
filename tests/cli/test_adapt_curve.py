import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from malaria import roles, synthetic
from malaria.adapt_ground import played
from malaria.cli import output
from malaria.cli.adaptcurve import STAINS
from malaria.domain import ModelVersion, Progress, Role
from malaria.stains import SIMULATED
from tests.cli.conftest import Run
from tests.unit.test_evaluate_fields import field


@pytest.fixture
def smears(tmp_path: Path) -> Path:
    for i in range(6):
        field(tmp_path / "smears", f"f{i}", (0, 60), (0, 130), (2, 200), (0, 70), (1, 180), (5, 250))
    return tmp_path / "smears"


def test_settings_are_compared_on_a_laboratory(
    run: Run, smears: Path, tmp_path: Path, shipped_info: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Progress] = []
    monkeypatch.setattr(output, "progress", lambda: nullcontext(shown.append))
    plan = tmp_path / "plan.toml"
    eager_one = '[[variant]]\nname = "eager"\nfewest = 1\nparts = 0\nbase_loss = 1.0\n'
    plan.write_text(eager_one + '[[variant]]\nname = "wary"\nfewest = 99\nlabelled = "uncertain"\n')
    told = run(
        *("adapt-curve", "--site", f"bbbc041={smears}", "--plan", plan, "--out", tmp_path / "out"),
        *("--cells", 12, "--draws", 2),
    )
    assert told.exit_code == 0, told.stderr
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert found["made"]["model"] == shipped_info.version
    eager, wary = (found["uploads"][name]["bbbc041"] for name in ("eager", "wary"))
    assert [one["cells"] for one in eager] == [12, 12]
    assert any(one["changed"] for one in eager)
    assert not any(one["changed"] for one in wary)
    assert all(one["base"]["accuracy"][0] == one["base"]["accuracy"][1] for one in wary)
    percents = [at.percent for at in shown if at.percent is not None]
    assert percents == sorted(percents) and 0 < max(percents) < 50, "the first setting is half of the work"
    assert "| eager | 12 |" in (tmp_path / "out" / "report.md").read_text()


def test_the_help_names_every_stain() -> None:
    assert tuple(SIMULATED) == STAINS


def test_fields_kept_for_the_test_are_left_out(run: Run, tmp_path: Path, models_dir: Path) -> None:
    known = roles.load(models_dir / "roles.json")
    smears = tmp_path / "smears"
    for role in (Role.TRAIN, Role.TEST):
        of_role = sorted(name for name in known if name.startswith("chula/") and known[name] == role)
        for name in (name.removeprefix("chula/") for name in of_role[:4]):
            field(smears, name, *[(0, 60 + 10 * i) for i in range(6)])
            centres = "\n".join(f"{40 + 60 * i} 40 {i % 3}" for i in range(6))
            (smears / "labels" / f"{name}.txt").write_text(centres)
    asked = ("adapt-curve", "--site", f"chula={smears}", "--out", tmp_path / "out", "--draws", 1, "--cells")
    assert run(*asked, 12).exit_code == 0
    told = run(*asked, 13)
    assert told.exit_code == 2, "half of four fields with six cells each: those of the test are not taken"
    assert "fewer than 13" in told.stderr


def test_nih_cells_play_a_laboratory(run: Run, tmp_path: Path, models_dir: Path) -> None:
    known = roles.load(models_dir / "roles.json")
    nih = sorted(patient for patient in known if "/" not in patient)
    actors = [p for p in nih if known[p] == Role.TRAIN and played(p)][:4]
    others = [p for p in nih if known[p] == Role.TRAIN and not played(p)][:2]
    held = [p for p in nih if known[p] != Role.TRAIN][:2]
    cells = tmp_path / "cells"
    for i, cell in enumerate(synthetic.generate(48, 3)):
        owner = [*actors, *others, *held][i // 2 % 8]
        (cells / cell.label.text).mkdir(parents=True, exist_ok=True)
        (cells / cell.label.text / f"{owner}thin_cell_{i}.png").write_bytes(cell.png())
    asked = ("adapt-curve", "--simulated", cells, "--out", tmp_path / "out", "--draws", 1, "--cells")
    told = run(*asked, 12)
    assert told.exit_code == 0, told.stderr
    by_stain = json.loads((tmp_path / "out" / "report.json").read_text())["uploads"]["in use"]
    assert {name: [one["cells"] for one in drawn] for name, drawn in by_stain.items()} == {"washed out": [12]}
    told = run(*asked, 12, "--stain", "grey and dark", "--stain", "yellow lamp")
    found = json.loads((tmp_path / "out" / "report.json").read_text())["uploads"]["in use"]
    assert list(found) == ["grey and dark", "yellow lamp"] and found["grey and dark"] != found["yellow lamp"]
    told = run(*asked, 12, "--stain", "green")
    assert told.exit_code == 2 and "no stain 'green' to simulate; there are washed out, yellow" in told.stderr
    told = run(*asked, 13)
    assert told.exit_code == 2, "half of four actors with six cells each: the others' are not taken"
    assert "fewer than 13" in told.stderr


def test_of_a_laboratory_of_one_class_nothing_is_learnt(run: Run, tmp_path: Path) -> None:
    for i in range(4):
        field(tmp_path / "smears", f"f{i}", *((0, 60 + 10 * j) for j in range(6)))
    told = run(
        *("adapt-curve", "--site", f"bbbc041={tmp_path / 'smears'}", "--out", tmp_path / "out"),
        *("--cells", 10, "--draws", 1),
    )
    assert told.exit_code == 0, told.stderr
    [upload] = json.loads((tmp_path / "out" / "report.json").read_text())["uploads"]["in use"]["bbbc041"]
    assert not upload["changed"]
    assert upload["site"]["auc"] == [None, None]
    assert upload["site"]["specificity"][0] == upload["site"]["specificity"][1]


def test_a_laboratory_of_one_field_is_refused(run: Run, tmp_path: Path) -> None:
    field(tmp_path / "smears", "f0", (0, 60), (0, 130), (2, 200))
    told = run("adapt-curve", "--site", f"bbbc041={tmp_path / 'smears'}", "--out", tmp_path / "out")
    assert told.exit_code == 2
    assert "3 cells of 1 fields" in told.stderr


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("[[variant]]\npenalty = 1.0\n", "name"),
        ('[[variant]]\nname = "a"\npenalty = "x"\n', "penalty"),
        ('[[variant]]\nname = "a"\npenlty = 1.0\n', "penlty"),
        ('[[variant]]\nname = "a"\nviews = 9\n', "views"),
        ('[[variant]]\nname = "a"\nmemory = 2.0\n', "memory"),
        ('[[variant]]\nname = "a"\nlabelled = "all"\n', "labelled"),
        ("no TOML", "cannot be read"),
    ],
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
