"""Shipped models get the subject network: under another name, with the same answers and the same story."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from malaria import branches, codec, grafting, graphfile, shipped
from malaria.at_hand import AtHand
from malaria.domain import ModelVersion, Screen
from malaria.errors import Damaged
from malaria.grafting import Branch
from malaria.lineage import alike
from malaria.options import NETWORKS
from malaria.predict import Model
from malaria.subject import OUTPUT
from tests.unit.registries import START


@pytest.mark.parametrize("network", NETWORKS)
def test_what_ships_holds_the_subject_network_that_ships(
    models_dir: Path, network: str, branch: Branch
) -> None:
    info, folder = shipped.read_shipped(models_dir, network)
    content = (folder / "model.tflite").read_bytes()
    assert info.screen == branch.screen
    assert grafting.grafted(content, branch) == content
    assert (info.digest, info.size_bytes) == (grafting.digest_of(content), len(content))


@pytest.fixture
def bare(tmp_path: Path, models_dir: Path, shipped_info: ModelVersion) -> tuple[Path, ModelVersion]:
    """A folder where the default ships without a subject network."""
    content = (models_dir / shipped_info.version / "model.tflite").read_bytes()
    content = branches.without(content, OUTPUT)
    info = replace(shipped_info, digest=grafting.digest_of(content), version="20990101-bare", screen=None)
    info = replace(info, created=START, size_bytes=len(content), lineage={"method": "train"})
    folder = tmp_path / "models" / info.version
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(codec.to_json(info)))
    for file in ("memory.npz", "card.md"):
        (folder / file).write_bytes(file.encode())
    shipped.record(folder.parent, info)
    return folder.parent, info


def test_a_grafted_version_takes_the_place_of_the_old_one(
    bare: tuple[Path, ModelVersion], branch: Branch, tmp_path: Path
) -> None:
    models, info = bare
    made = grafting.graft_shipped(models, info, branch)
    assert made.version == f"20260101-{made.digest[:8]}"
    assert shipped.read_shipped(models)[0] == made
    assert [p.name for p in models.iterdir() if p.is_dir()] == [made.version]
    assert (models / made.version / "memory.npz").read_bytes() == b"memory.npz"
    assert made.screen == branch.screen
    assert made.size_bytes == (models / made.version / "model.tflite").stat().st_size
    assert made.size_bytes - info.size_bytes < 250_000
    Model.load(models / made.version / "model.tflite", made)
    assert alike(made) == [made.digest, info.digest]
    found = AtHand(None, models, tmp_path).of_digest(info.digest)
    assert found == made, "whoever names the old file finds the new one"
    assert grafting.graft_shipped(models, made, branch) == made, "it has it already"


def test_a_new_screen_for_the_same_network_renames_nothing(
    bare: tuple[Path, ModelVersion], branch: Branch
) -> None:
    models, info = bare
    first = grafting.graft_shipped(models, info, branch)
    moved = Branch(branch.content, replace(branch.screen, refuse=0.001))
    second = grafting.graft_shipped(models, first, moved)
    assert second == replace(first, screen=moved.screen)
    assert shipped.read_shipped(models)[0] == second


def test_another_network_takes_the_place_of_the_first(
    bare: tuple[Path, ModelVersion], branch: Branch
) -> None:
    models, info = bare
    first = grafting.graft_shipped(models, info, branch)
    other = graphfile.unpack(branch.content)
    weights = max((b for b in other.buffers if b.data is not None), key=lambda b: len(b.data))
    weights.data = weights.data[::-1].copy()
    content = graphfile.pack(other, len(branch.content))
    screen = replace(branch.screen, network=grafting.digest_of(content))
    second = grafting.graft_shipped(models, first, Branch(content, screen))
    assert second.version != first.version
    assert second.size_bytes <= first.size_bytes, "nothing of the first is left"
    assert alike(second) == [second.digest, first.digest, info.digest]


def test_a_graft_that_changes_an_answer_is_refused(bare: tuple[Path, ModelVersion], branch: Branch) -> None:
    models, info = bare
    content = (models / info.version / "model.tflite").read_bytes()
    grafted = grafting.grafted(content, branch)
    grafting.check(content, grafted, info)
    with pytest.raises(Damaged, match="changed what"):
        grafting.check(content, content, info)
    from malaria import head as heads

    head = heads.read(grafted)
    with pytest.raises(Damaged, match="changed what"):
        grafting.check(content, heads.write(grafted, replace(head, bias=head.bias + 1e-3)), info)


def test_no_subject_network_is_none_and_a_wrong_file_is_told(tmp_path: Path, branch: Branch) -> None:
    assert grafting.kept(tmp_path) is None
    folder = tmp_path / grafting.FOLDER
    folder.mkdir()
    (folder / grafting.FILE).write_bytes(branch.content)
    screen = Screen(0.1, 0.2, "0" * 64, 0.01, 0.05, 0.1)
    (folder / grafting.MANIFEST).write_text(json.dumps({"screen": codec.to_json(screen)}))
    with pytest.raises(Damaged, match="is not the file"):
        grafting.kept(tmp_path)
