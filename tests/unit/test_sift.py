"""What the served model takes for no red cell teaches nobody, by whichever method."""

import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from malaria import memory, no_cells, preprocess, retrain, synthetic
from malaria.challenger import Challenge
from malaria.domain import Job, JobState, Method, Progress, RetrainOptions, Verdict
from malaria.full_ground import every_shard
from malaria.services import Services
from malaria.sift import sift
from malaria.subject import judged
from tests.unit.test_retrain_again import archive

ADAPT = RetrainOptions(method=Method.ADAPT)


def pages(services: Services, n: int) -> dict[str, bytes]:
    """Pictures of writing that get no answer, named as of both classes in turn."""
    rng, served, found = np.random.default_rng(5), services.served.model, dict[str, bytes]()
    while len(found) < n:
        page = preprocess.to_png(no_cells.writing(rng))
        scored = served.score(preprocess.pixels(page, served.info.input_size))
        if judged(scored.subject, served.info.screen).refused:
            found[f"{('Parasitized', 'Uninfected')[len(found) % 2]}/page{len(found)}.png"] = page
    return found


def sent(services: Services, path: Path, cells: int, papers: int, asked: RetrainOptions = ADAPT) -> Job:
    """An upload of cells and of pages, as it waits for its run."""
    made = archive(synthetic.generate(cells, 8), patients=True, washed=True) if cells else None
    if made:
        path.write_bytes(made)
    with zipfile.ZipFile(path, "a" if made else "w") as opened:
        for name, page in pages(services, papers).items():
            opened.writestr(name, page)
    return services.trigger.submit(path, name=path.name, identity=None, options=asked, actor="test")


def ran(services: Services, job: Job) -> Job:
    assert retrain.run(services, job.id, 1, threading.Event())
    return services.jobs.get(job.id)


def test_a_page_among_cells_is_neither_learnt_nor_judged_by(services: Services, tmp_path: Path) -> None:
    ended = ran(services, sent(services, tmp_path / "mixed.zip", 80, 6))
    after = memory.load(services.registry.fetch(str(ended.version), "memory.npz", tmp_path / "b.npz"))
    shard = services.shards.load(str(ended.dataset))
    left_out = {cell.fingerprint for cell in shard.cells if "page" in cell.original}
    assert len(left_out) == 6 and not left_out & set(after.fingerprints.tolist())
    assert int(np.sum(after.origins == ended.dataset)) == 80
    (told,) = [one for one in ended.receipt["advised"] if one["code"] == "pictures-refused"]
    assert told["numbers"] == {"cells": 6} and "page0.png" in told["text"]


@pytest.mark.parametrize("method", [Method.ADAPT, Method.FULL, Method.AUTO])
def test_pages_alone_teach_nothing(services: Services, tmp_path: Path, method: Method) -> None:
    """Nor is a whole network trained for them."""
    ended = ran(services, sent(services, tmp_path / "pages.zip", 0, 24, RetrainOptions(method=method)))
    assert (ended.state, ended.verdict) == (JobState.SUCCEEDED, Verdict.UNDECIDABLE), ended.reason
    assert ended.version is None
    assert [one["code"] for one in ended.receipt["advised"]] == ["pictures-refused"]
    assert not ended.receipt["too_small"], "more of the kind would help nobody"
    later = ran(services, sent(services, tmp_path / "next.zip", 80, 0))
    assert later.receipt["pooled"] == [], "and no later upload waits on it"


def test_pages_alone_train_no_other_network(services: Services, tmp_path: Path) -> None:
    asked = RetrainOptions(method=Method.FULL, network="ensemble")
    ended = ran(services, sent(services, tmp_path / "pages.zip", 0, 24, asked))
    assert (ended.state, ended.code) == (JobState.FAILED, "nothing-new")
    assert "single red cell" in ended.reason and not services.gate_looks.read()


def test_what_was_left_out_once_is_never_learnt(services: Services, tmp_path: Path) -> None:
    """A later `full` learns earlier uploads again, as far as the served model learnt them."""
    ended = ran(services, sent(services, tmp_path / "mixed.zip", 80, 6))
    after = memory.load(services.registry.fetch(str(ended.version), "memory.npz", tmp_path / "b.npz"))
    met = Challenge(services, ended, services.served.model, 1, after, tmp_path, services.clock.now())
    (earlier,) = [shard for shard in every_shard(met, []) if shard.sha256 == ended.dataset]
    assert len(earlier.cells) == 80 and not [cell for cell in earlier.cells if "page" in cell.original]


def test_cells_are_told_from_pages(services: Services, tmp_path: Path) -> None:
    ended, said = ran(services, sent(services, tmp_path / "mixed.zip", 80, 6)), list[Progress]()
    shard, model = services.shards.load(str(ended.dataset)), services.served.model
    (left,), refused = sift(model, services.shards, [shard], said.append)
    assert len(left.cells) == 80 and not [cell for cell in left.cells if "page" in cell.original]
    assert len(refused) == 6 and all("page" in one for one in refused) and refused == sorted(refused)
    assert 0 <= said[0].percent < said[-1].percent < 100  # type: ignore[operator]
    some = [cell for cell in shard.cells if "page" in cell.original][:2] + list(left.cells[:3])
    fewer = replace(shard, cells=tuple(sorted(some, key=lambda cell: cell.name)))
    (left,), refused = sift(model, services.shards, [fewer], said.append)
    assert {cell.original for cell in left.cells} == {cell.original for cell in some[2:]}
    assert refused == sorted(cell.original for cell in some[:2]), "a shard may have cells taken out before"
