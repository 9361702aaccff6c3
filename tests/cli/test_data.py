import json
import shutil
from pathlib import Path

import pytest

from malaria import cells, synthetic
from malaria.cli import data
from malaria.errors import BadLayout
from tests.cli.conftest import Run
from tests.unit.test_laboratories import fields

KAGGLE = "datasets/iarunava/cell-images-for-detecting-malaria"


def test_samples_are_an_upload(run: Run, tmp_path: Path) -> None:
    told = run("data", "sample", 12, "--out", tmp_path / "demo.zip", "--seed", 4)
    assert told.exit_code == 0
    assert told.stdout.strip() == str(tmp_path / "demo.zip")
    assert sum(1 for _ in cells.read(tmp_path / "demo.zip")) == 12
    run("data", "sample", 12, "--out", tmp_path / "again.zip", "--seed", 4)
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "demo.zip").read_bytes()


def test_an_unknown_stain_is_refused_with_the_known_ones(run: Run, tmp_path: Path) -> None:
    told = run("data", "sample", 2, "--out", tmp_path / "x", "--stain", "violet")
    assert told.exit_code == 2
    assert "giemsa-blue" in told.stderr
    assert not (tmp_path / "x").exists()


@pytest.fixture
def kaggle_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What kagglehub leaves behind after a download, the dataset's second copy of its images included."""
    cache = tmp_path / "kagglehub"
    version = cache / KAGGLE / "versions" / "1"
    images = synthetic.write(version / "cell_images", 60, 8)
    for i, picture in enumerate(sorted(images.glob("*/*.png"))):
        picture.rename(picture.with_name(f"C{i % 6 + 900}P{i % 6}thinF_IMG_1_cell_{i}.png"))
    (images / "patients.csv").unlink()
    (images / "Parasitized" / "Thumbs.db").write_bytes(b"not a picture")
    shutil.copytree(images, tmp_path / "copy")
    shutil.move(tmp_path / "copy", images / "cell_images")
    (cache / KAGGLE / "1.complete").touch()
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(cache))
    return cache


def test_fetch_imports_what_kagglehub_has_once(run: Run, kaggle_cache: Path) -> None:
    told = run("data", "fetch", "--json")
    assert told.exit_code == 0, told.stderr
    (imported,) = json.loads(told.stdout)
    assert imported["report"]["accepted"] == {"Parasitized": 30, "Uninfected": 30}
    assert imported["cells"] == 60
    assert imported["patients"] == 6
    assert not imported["report"]["duplicates"], "the second copy is not read"


def test_fetch_without_cache_or_network_says_what_to_do(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "empty"))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # a proxy that refuses: no network, wherever this runs
    told = run("data", "fetch")
    assert told.exit_code == 1
    assert "malaria data import" in told.stderr


def test_the_outermost_folder_with_both_classes_is_taken(tmp_path: Path) -> None:
    for name in ("a/b/Parasitized", "a/b/Uninfected", "a/b/c/parasitized", "a/b/c/uninfected"):
        (tmp_path / name).mkdir(parents=True)
    assert data.cell_folder(tmp_path) == tmp_path / "a" / "b"
    with pytest.raises(BadLayout, match="Uninfected"):
        data.cell_folder(tmp_path / "a" / "b" / "Parasitized")


def test_import_counts_cells_patients_and_roles(run: Run, tmp_path: Path) -> None:
    first = synthetic.write(tmp_path / "one.zip", 200, 1)
    second = synthetic.write(tmp_path / "two", 40, 2)
    told = run("data", "import", first, second, "--json")
    assert told.exit_code == 0, told.stderr
    one, two = json.loads(told.stdout)
    assert (one["source"], one["cells"], one["patients"]) == ("one.zip", 200, 10)
    assert sum(one["roles"].values()) == 200
    assert set(one["roles"]) <= {"train", "validation"}
    assert two["cells"] == 40
    again = run("data", "import", first)
    assert again.exit_code == 0, again.stderr
    assert one["dataset"] in again.stdout, "the same cells are the same dataset"


def test_import_of_nothing_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("data", "import", tmp_path / "missing.zip").exit_code == 2


def test_fields_are_imported_as_cells_of_their_laboratory(run: Run, tmp_path: Path) -> None:
    source = fields(tmp_path / "bccd", ("a", "b", "c"))
    told = run("data", "import", "--laboratory", f"bccd={source}", "--json")
    assert told.exit_code == 0, told.stderr
    (one,) = json.loads(told.stdout)
    assert (one["source"], set(one["classes"])) == ("bccd", {"Uninfected"})
    assert sum(one["roles"].values()) == one["cells"] > 0
    again = run("data", "import", "--laboratory", f"bccd={source}")
    assert again.exit_code == 0, again.stderr
    assert one["dataset"] in again.stdout, "the same fields are the same dataset"


def test_what_to_import_must_be_named(run: Run) -> None:
    told = run("data", "import")
    assert told.exit_code == 2
    assert "--laboratory SET=PATH" in told.stderr
