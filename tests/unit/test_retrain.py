"""The run of a retraining, in this process, on synthetic cells and the shipped model."""

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from malaria import challenge, gate_cells, memory, retrain, shards, synthetic
from malaria.adapt import turn
from malaria.domain import Job, JobState, Method, RetrainOptions, Role, Verdict
from malaria.gate_looks import GateLook
from malaria.refitting import AdaptSettings
from malaria.services import Services
from tests.unit.test_retrain_again import archive

ADAPT = RetrainOptions(method=Method.ADAPT)


def submit(
    services: Services,
    folder: Path,
    name: str,
    *,
    n: int = 24,
    seed: int = 1,
    options: RetrainOptions = ADAPT,
) -> Job:
    upload = synthetic.write(folder / name, n, seed)
    return services.trigger.submit(upload, name=name, identity=None, options=options, actor="test")


def run(services: Services, job: Job, attempt: int = 1) -> bool:
    return retrain.run(services, job.id, attempt, threading.Event())


def state(services: Services, job: Job) -> JobState:
    return services.jobs.get(job.id).state


def test_a_run_takes_in_what_waits_and_asks_for_the_same(services: Services, tmp_path: Path) -> None:
    first = submit(services, tmp_path, "first.zip", seed=1, n=12)
    second = submit(services, tmp_path, "second.zip", seed=2, n=12)
    other = submit(services, tmp_path, "other.zip", seed=3, options=replace(ADAPT, note="apart"))
    assert run(services, first)
    one, two = services.jobs.get(first.id), services.jobs.get(second.id)
    assert one.receipt["too_small"]
    assert one.state == two.state == JobState.SUCCEEDED
    assert one.version == two.version, "both were learnt from in one run"
    assert two.leader == first.id
    assert state(services, other) == JobState.QUEUED
    assert one.report["accepted"] == {"Parasitized": 6, "Uninfected": 6}
    assert one.verdict is not None
    assert one.receipt["verdict"] == one.verdict.value
    assert one.receipt["criteria"]
    assert services.registry.version(str(one.version)).lineage["parent"] == one.champion


def test_uploads_that_do_not_stand_together_are_judged_apart(services: Services, tmp_path: Path) -> None:
    """One with its folders swapped waits beside a right one: they share no verdict and no receipt."""
    good = submit(services, tmp_path, "good.zip", n=24, seed=1)
    swapped = archive(synthetic.generate(48, 2), patients=True, flipped=True)
    (tmp_path / "bad.zip").write_bytes(swapped)
    bad = services.trigger.submit(
        tmp_path / "bad.zip", name="bad.zip", identity=None, options=ADAPT, actor="another"
    )
    assert run(services, good)
    for waits in (good, bad):
        job = services.jobs.get(waits.id)
        assert (job.state, job.code) == (JobState.QUEUED, "judged-apart")
        assert (job.leader, job.version) == (None, None)
    later = submit(services, tmp_path, "later.zip", n=24, seed=3)
    assert services.jobs.get(bad.id).attempt == 0, "it had no process of its own and keeps its tries"
    assert run(services, good, attempt=2)
    assert state(services, later) == state(services, bad) == JobState.QUEUED, "who ran before runs alone"
    assert run(services, bad, attempt=1)
    assert state(services, later) == JobState.QUEUED
    one, other = services.jobs.get(good.id), services.jobs.get(bad.id)
    assert one.state == other.state == JobState.SUCCEEDED
    assert other.verdict == Verdict.REJECTED and "swapped" in other.reason
    assert one.verdict != Verdict.REJECTED and "swapped" not in one.reason
    assert not one.receipt["doubted"]


def test_equal_content_ends_as_a_duplicate_of_the_first(services: Services, tmp_path: Path) -> None:
    first = submit(services, tmp_path, "first.zip")
    assert run(services, first)
    again = submit(services, tmp_path, "the-same-again.zip")
    assert run(services, again)
    ended = services.jobs.get(again.id)
    assert ended.state == JobState.DUPLICATE
    assert first.id in ended.reason and ended.code == "duplicate"


def test_a_bad_upload_fails_alone(services: Services, tmp_path: Path) -> None:
    good = submit(services, tmp_path, "good.zip")
    bad_file = tmp_path / "bad.zip"
    bad_file.write_bytes(b"this is no ZIP")
    bad = services.trigger.submit(bad_file, name="bad.zip", identity=None, options=ADAPT, actor="test")
    assert run(services, good)
    assert state(services, good) == JobState.SUCCEEDED
    ended = services.jobs.get(bad.id)
    assert ended.state == JobState.FAILED
    assert "ZIP" in ended.reason and ended.code == "bad-archive"


def test_full_without_base_images_says_what_brings_them(services: Services, tmp_path: Path) -> None:
    job = submit(services, tmp_path, "cells.zip", options=RetrainOptions(method=Method.FULL))
    assert run(services, job)
    ended = services.jobs.get(job.id)
    assert ended.state == JobState.FAILED
    assert "malaria data fetch" in ended.reason or "uv sync" in ended.reason
    assert ended.code in ("no-base-images", "missing-part")


def test_one_run_at_a_time(services: Services, tmp_path: Path) -> None:
    job = submit(services, tmp_path, "cells.zip")
    token = services.jobs.acquire("another run", 60)
    assert token is not None
    assert run(services, job) is False
    assert state(services, job) == JobState.QUEUED
    services.jobs.release(token)
    assert run(services, job)
    assert run(services, job) is False, "a job that has ended is not run again"


def test_a_cancelled_follower_ends_alone_and_the_others_wait_again(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = submit(services, tmp_path, "lead.zip", seed=1)
    follower = submit(services, tmp_path, "follower.zip", seed=2)
    make = challenge.make

    def cancel_then_make(against, new, report):  # type: ignore[no-untyped-def]
        services.trigger.cancel(follower.id)
        return make(against, new, report)

    monkeypatch.setattr(retrain, "make", cancel_then_make)
    monkeypatch.setattr("malaria.heartbeat.REPORT_SECONDS", 0.0)
    assert run(services, lead)
    assert (state(services, follower), services.jobs.get(follower.id).code) == (
        JobState.CANCELLED,
        "cancelled",
    )
    assert (state(services, lead), services.jobs.get(lead.id).code) == (JobState.QUEUED, "interrupted")
    monkeypatch.undo()
    assert run(services, lead, attempt=2)
    assert (state(services, lead), services.jobs.get(lead.id).code) == (JobState.SUCCEEDED, "")


def test_a_stop_puts_the_job_back_in_the_queue(services: Services, tmp_path: Path) -> None:
    job = submit(services, tmp_path, "cells.zip")
    stop = threading.Event()
    stop.set()
    assert retrain.run(services, job.id, 1, stop)
    waiting = services.jobs.get(job.id)
    assert waiting.state == JobState.QUEUED
    assert "goes on later" in waiting.reason


def test_nothing_is_promoted_over_a_promotion_that_came_between(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(services, tmp_path, "cells.zip")
    shipped = services.served.model.info
    other = replace(shipped, version=f"20990101-{shipped.digest[:8]}")
    file = services.registry.fetch(shipped.version, "model.tflite", tmp_path / "model.tflite")
    services.registry.publish(other, {"model.tflite": file})
    make = challenge.make

    def promote_then_accept(against, new, report):  # type: ignore[no-untyped-def]
        made = make(against, new, report)
        services.registry.promote(other.version, verdict="manual", actor="a person", reason="while it ran")
        return replace(made, receipt=replace(made.receipt, verdict=Verdict.ACCEPTED))

    monkeypatch.setattr(retrain, "make", promote_then_accept)
    assert run(services, job)
    ended = services.jobs.get(job.id)
    assert ended.state == JobState.FAILED
    assert "promotion" in ended.reason
    newest = services.registry.newest()
    assert newest is not None
    assert newest.version == other.version


def test_the_champions_memory_grows_only_by_the_upload(services: Services, tmp_path: Path) -> None:
    upload = tmp_path / "cells.zip"
    upload.write_bytes(archive(synthetic.generate(80, 8), patients=True, washed=True))
    job = services.trigger.submit(upload, name=upload.name, identity=None, options=ADAPT, actor="test")
    assert run(services, job)
    ended = services.jobs.get(job.id)
    before = memory.load(services.registry.fetch(str(ended.champion), "memory.npz", tmp_path / "a.npz"))
    after = memory.load(services.registry.fetch(str(ended.version), "memory.npz", tmp_path / "b.npz"))
    assert len(after) == len(before) + 80
    assert set(after.origins[len(before) :].tolist()) == {ended.dataset}
    assert {Role.TRAIN.value, Role.GATE.value} >= set(after.roles[len(before) :].tolist())


def test_the_eight_views_are_different_and_upright_comes_first() -> None:
    cell = next(iter(synthetic.generate(1, 0))).image.resize((64, 64))
    import numpy as np

    square = np.asarray(cell)
    views = [turn(square, k) for k in range(8)]
    assert np.array_equal(views[0], square)
    assert len({view.tobytes() for view in views}) == 8
    assert 1 <= AdaptSettings().views <= 8


def test_the_bounds_of_the_file_are_settings_and_kept_with_the_version(
    services: Services, tmp_path: Path
) -> None:
    strict = replace(services, settings=services.settings.model_copy(update={"max_model_bytes": 1_000_000}))
    job = submit(strict, tmp_path, "cells.zip", n=40, seed=5)
    assert run(strict, job)
    ended = services.jobs.get(job.id)
    assert ended.verdict == Verdict.REJECTED
    assert "MB (at most 1.0)" in ended.reason
    story = services.registry.version(str(ended.version)).lineage
    assert 0 <= story["parity"] < 1e-5
    assert story["receipt"]["verdict"] == "rejected"


def test_each_comparison_is_a_look_at_the_gate_patients(services: Services, tmp_path: Path) -> None:
    few = replace(services, settings=services.settings.model_copy(update={"max_gate_looks": 1}))
    receipts = []
    for seed in (5, 6):  # together they gain nothing, so the second is judged alone, too: a look of its own
        job = submit(few, tmp_path, f"{seed}.zip", n=40, seed=seed)
        assert run(few, job)
        receipts.append(services.jobs.get(job.id).receipt)
    assert [(told["look"], told["fresh_due"]) for told in receipts] == [(1, False), (3, True)]
    assert "looked at 3 times and bear 1: fresh ones are due" in receipts[1]["advice"]
    first, together, second = services.gate_looks.read()
    assert (first.number, together.number, second.number, services.looked_at_gate()) == (1, 2, 3, 3)
    assert len({look.challenger for look in (first, together, second)}) == 3, "one of them of both uploads"
    assert first.patients == 20
    assert first.verdict == receipts[0]["verdict"]


def test_looks_at_earlier_gate_patients_are_of_no_account(services: Services, tmp_path: Path) -> None:
    """Fresh ones came with a release; of a look that does not name its set nobody knows, so it counts."""
    few = replace(services, settings=services.settings.model_copy(update={"max_gate_looks": 2}))
    for of in ("earlier", "earlier", ""):
        services.gate_looks.add(GateLook(0, services.clock.now(), "a", "b", "job", "rejected", 9, 2, of))
    assert services.looked_at_gate() == 1
    job = submit(few, tmp_path, "cells.zip", n=40, seed=5)
    assert run(few, job)
    told = services.jobs.get(job.id).receipt
    assert (told["look"], told["fresh_due"]) == (2, False)
    assert services.gate_looks.read()[-1].number == 4, "kept beside the earlier ones"


def test_where_nothing_is_learnt_nobody_is_looked_at(services: Services, tmp_path: Path) -> None:
    job = submit(services, tmp_path, "few.zip", n=6)
    assert run(services, job)
    ended = services.jobs.get(job.id)
    assert ended.version is None and ended.receipt["look"] == 0
    assert services.gate_looks.read() == []


def test_the_receipt_names_the_cells_as_they_were_sent(services: Services, tmp_path: Path) -> None:
    job = submit(services, tmp_path, "cells.zip", n=40, seed=5)
    assert run(services, job)
    ended = services.jobs.get(job.id)
    sent = {cell.original for cell in services.shards.load(str(ended.dataset)).cells}
    moved, changed = ended.receipt["moved"], ended.receipt["changed"]
    assert {cell["name"] for cell in moved["site"]} <= sent
    for place in ("base", "site"):
        assert len(moved[place]) == sum(min(changed[place][kind], 40) for kind in ("gained", "lost"))
    assert services.registry.version(str(ended.version)).lineage["receipt"]["moved"] == {}


def test_cells_are_called_as_they_were_sent_and_base_cells_by_their_fingerprint(
    services: Services, tmp_path: Path
) -> None:
    job = submit(services, tmp_path, "cells.zip")
    assert run(services, job)
    shard = services.shards.load(str(services.jobs.get(job.id).dataset))
    prints = np.array([shard.cells[3].fingerprint, 0xAB], np.uint64)
    called = gate_cells.called_of(shards.names([shard]), prints)
    assert called.tolist() == [shard.cells[3].original, "00000000000000ab"]


def test_an_upload_that_was_judged_with_accepted_ones_waits_no_longer() -> None:
    """Whether or not a cell of it was learnt from."""

    def job(name: str, verdict: Verdict, **receipt: object) -> SimpleNamespace:
        return SimpleNamespace(id=name, verdict=verdict, receipt=receipt, dataset=f"shard of {name}")

    small = job("small", Verdict.UNDECIDABLE, too_small=True)
    other = job("other", Verdict.UNDECIDABLE, too_small=True)
    failed, passed = (job("next", v, pooled=["small"]) for v in (Verdict.REJECTED, Verdict.ACCEPTED))
    memory = SimpleNamespace(origins=np.array(["base"]))
    for after, wait in ((failed, ["small", "other"]), (passed, ["other"])):
        jobs = SimpleNamespace(list=lambda after=after, **_: [small, other, after])
        asked = SimpleNamespace(services=SimpleNamespace(jobs=jobs), memory=memory)
        assert list(challenge.undecided(asked).values()) == wait  # type: ignore[arg-type]
