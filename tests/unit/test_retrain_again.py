"""What comes again: cells sent twice, attempts that died, rows that belong to another run."""

import io
import threading
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from malaria import challenge, memory, retrain, synthetic
from malaria.criteria import EARLIER
from malaria.domain import Job, JobState, Method, Progress, RetrainOptions, Role, Verdict
from malaria.heartbeat import Heartbeat, Reporter
from malaria.memory import Memory
from malaria.services import Services
from malaria.synthetic import SyntheticCell
from malaria.tours.demo import other_stain

pytestmark = pytest.mark.slow

ADAPT = RetrainOptions(method=Method.ADAPT)


def archive(
    cells: Iterable[SyntheticCell],
    *,
    patients: bool,
    prefix: str = "",
    flipped: bool = False,
    washed: bool = False,
) -> bytes:
    """An upload of these cells, with or without a patients.csv, under names that tell nothing. washed: in a
    stain that the served model errs on, so that there is something to learn."""
    out, rows = io.BytesIO(), ["file,patient"]
    with zipfile.ZipFile(out, "w") as opened:
        for i, cell in enumerate(cells):
            text = type(cell.label)(1 - cell.label).text if flipped else cell.label.text
            opened.writestr(f"{text}/{prefix}{i}.png", other_stain(cell) if washed else cell.png())
            rows.append(f"{prefix}{i}.png,{cell.patient}")
        if patients:
            opened.writestr("patients.csv", "\n".join(rows))
    return out.getvalue()


def send(services: Services, folder: Path, data: bytes, options: RetrainOptions = ADAPT) -> Job:
    path = folder / f"{len(list(folder.iterdir()))}.zip"
    path.write_bytes(data)
    job = services.trigger.submit(path, name=path.name, identity=None, options=options, actor="test")
    assert retrain.run(services, job.id, 1, threading.Event())
    return services.jobs.get(job.id)


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


def remembered(services: Services, job: Job, folder: Path) -> Memory:
    return memory.load(services.registry.fetch(str(job.version), "memory.npz", folder / f"{job.id}.npz"))


def roles_by_cell(services: Services) -> dict[int, set[Role]]:
    found: dict[int, set[Role]] = {}
    for shard in services.shards.list():
        for cell in shard.cells:
            found.setdefault(cell.fingerprint, set()).add(cell.role)
    return found


def test_a_cell_keeps_its_role_when_it_comes_again_with_patients(services: Services, uploads: Path) -> None:
    cells = list(synthetic.generate(44, 3))
    send(services, uploads, archive(cells[:40], patients=False))
    again = send(services, uploads, archive(cells, patients=True, prefix="renamed-"))
    assert again.state == JobState.SUCCEEDED, "told of its patients, it is not the same upload"
    assert all(len(roles) == 1 for roles in roles_by_cell(services).values())
    known = remembered(services, again, uploads.parent)
    site = known.where(~memory.is_base(known.origins))
    assert max(Counter(site.fingerprints.tolist()).values()) == 1, (
        "each cell is learnt from, or judged on, once"
    )
    assert len(site) == 44


def test_cells_sent_again_and_again_do_not_make_a_site_large_enough(
    services: Services, uploads: Path
) -> None:
    cells = list(synthetic.generate(18, 4))
    sizes = []
    for n in (10, 14, 18):
        job = send(services, uploads, archive(cells[:n], patients=False))
        assert job.verdict == Verdict.UNDECIDABLE
        sizes.append(next(c["value"] for c in job.receipt["criteria"] if c["name"] == "site size"))
    gate = sum(Role.GATE in roles for roles in roles_by_cell(services).values())
    assert sizes[-1] == gate


def test_the_same_cells_under_another_method_are_no_duplicate(services: Services, uploads: Path) -> None:
    data = archive(synthetic.generate(24, 5), patients=True)
    first = send(services, uploads, data)
    assert send(services, uploads, data).state == JobState.DUPLICATE
    full = send(services, uploads, data, RetrainOptions(method=Method.FULL))
    assert first.state == JobState.SUCCEEDED
    assert full.state == JobState.FAILED, "it was tried, and lacks the base images"
    assert "data import" in full.reason or "--extra train" in full.reason


def test_a_bad_upload_too_small_alone_does_not_spoil_the_next(
    services: Services, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = send(services, uploads, archive(synthetic.generate(8, 6), patients=True))
    assert bad.verdict == Verdict.UNDECIDABLE
    judged: list[tuple[str, ...]] = []
    make = challenge._make

    def reject_the_pool(against, shards, report, pooled=()):  # type: ignore[no-untyped-def]
        made = make(against, shards, report, pooled)
        judged.append(tuple(pooled))
        verdict = Verdict.REJECTED if pooled else made.receipt.verdict
        return replace(made, receipt=replace(made.receipt, verdict=verdict))

    monkeypatch.setattr(challenge, "_make", reject_the_pool)
    good = send(services, uploads, archive(synthetic.generate(24, 7), patients=True))
    assert judged == [(bad.id,), ()]
    assert good.verdict != Verdict.REJECTED
    assert good.receipt["pooled"] == []
    assert good.receipt["set_aside"] == [], "alone it is not accepted either"


def test_who_spoils_a_pool_waits_no_longer(
    services: Services, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the next is accepted alone; else each upload after it would be judged with it first."""
    bad = send(services, uploads, archive(synthetic.generate(8, 6), patients=True))
    judged: list[tuple[str, ...]] = []
    make = challenge._make

    def as_if(against, shards, report, pooled=()):  # type: ignore[no-untyped-def]
        made = make(against, shards, report, pooled)
        judged.append(tuple(pooled))
        verdict = Verdict.UNDECIDABLE if bad.id in pooled else Verdict.ACCEPTED
        return replace(made, receipt=replace(made.receipt, verdict=verdict, too_small=False))

    monkeypatch.setattr(challenge, "_make", as_if)
    good = send(services, uploads, archive(synthetic.generate(60, 7), patients=True, washed=True))
    assert judged == [(bad.id,), ()]
    assert good.receipt["set_aside"] == [bad.id]
    assert f"wait no longer: {bad.id}" in good.reason
    judged.clear()
    monkeypatch.undo()
    last = send(services, uploads, archive(synthetic.generate(24, 8), patients=True))
    assert (last.receipt["pooled"], last.receipt["set_aside"]) == ([], []), "nobody waits any longer"


def test_an_upload_that_was_learnt_from_is_asked_by_itself_when_the_next_comes(
    services: Services, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = challenge._make

    def accepted(*given, **named):  # type: ignore[no-untyped-def]
        made = make(*given, **named)
        return replace(made, receipt=replace(made.receipt, verdict=Verdict.ACCEPTED))

    monkeypatch.setattr(challenge, "_make", accepted)
    first = send(services, uploads, archive(synthetic.generate(120, 8), patients=True, washed=True))
    assert first.verdict == Verdict.ACCEPTED and first.version is not None
    asked = {rule["name"]: rule for rule in first.receipt["criteria"]}
    assert EARLIER[1] not in asked and "the upload" not in asked[EARLIER[0]]["text"], "none was learnt from"
    monkeypatch.undo()
    cells = archive(synthetic.generate(40, 9), patients=True, prefix="next", washed=True)
    asked = {rule["name"]: rule for rule in send(services, uploads, cells).receipt["criteria"]}
    assert asked.keys() >= set(EARLIER.values())
    assert f"the upload {str(first.dataset)[:8]}" in asked[EARLIER[1]]["text"]
    sets = {(look.of, look.cells, look.patients) for look in services.gate_looks.read()}
    assert [patients for _, _, patients in sets] == [20], "its gate cells make no new set of base patients"


def test_other_bounds_are_no_duplicate(services: Services, uploads: Path) -> None:
    """An operator who sets another bound sends the same cells again."""
    data = archive(synthetic.generate(24, 5), patients=True)
    first = send(services, uploads, data)
    assert first.receipt["bounds"]["accept_equal"] is False
    assert send(services, uploads, data).state == JobState.DUPLICATE
    settings = services.settings.model_copy(update={"accept_equal": True})
    again = send(replace(services, settings=settings), uploads, data)
    assert again.state == JobState.SUCCEEDED
    assert again.receipt["bounds"]["accept_equal"] is True


def test_wrong_labels_that_were_too_few_to_doubt_do_not_spoil_the_next(
    services: Services, uploads: Path
) -> None:
    few = send(services, uploads, archive(synthetic.generate(8, 6), patients=True, flipped=True))
    assert few.verdict == Verdict.UNDECIDABLE and few.receipt["too_small"]
    good = send(services, uploads, archive(synthetic.generate(24, 7), patients=True))
    doubts = {rule["name"]: rule for rule in good.receipt["criteria"]}["doubted labels"]
    assert doubts["passed"] is True and doubts["value"] < 0.1, "seen without the eight of before"
    assert good.receipt["pooled"] == [] and few.id not in good.reason


def test_too_few_cells_to_learn_from_are_told_and_count_with_the_next(
    services: Services, uploads: Path
) -> None:
    cells = list(synthetic.generate(400, 12))
    few = [c for c in cells if c.label == 0][:90] + [c for c in cells if c.label == 1][:4]
    first = send(services, uploads, archive(few, patients=True))
    assert first.verdict == Verdict.UNDECIDABLE
    assert "Too few cells to learn from" in first.reason
    assert "more cells of the class that is short" in first.receipt["advice"]
    assert (first.version, first.receipt["too_small"]) == (None, True)
    newest = services.registry.newest()
    assert newest is not None
    assert newest.version == first.champion, "nothing was promoted"
    second = send(services, uploads, archive(synthetic.generate(24, 13), patients=True))
    assert first.id in second.reason


def test_few_cells_with_flipped_labels_are_rejected_and_wait_for_nothing(
    services: Services, uploads: Path
) -> None:
    flipped = archive(synthetic.generate(24, 6), patients=True, flipped=True)
    bad = send(services, uploads, flipped)
    assert bad.verdict == Verdict.REJECTED
    assert "labels look swapped" in bad.reason
    good = send(services, uploads, archive(synthetic.generate(24, 7), patients=True))
    assert good.verdict == Verdict.UNDECIDABLE
    assert bad.id not in good.reason


def test_an_attempt_that_died_after_its_promotion_is_told_as_accepted(
    services: Services, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = challenge.make

    def accept(against, new, report):  # type: ignore[no-untyped-def]
        made = make(against, new, report)
        receipt = replace(made.receipt, verdict=Verdict.ACCEPTED, reason="Accepted for the test.")
        story = {**made.info.lineage, "receipt": {**made.info.lineage["receipt"], "verdict": "accepted"}}
        return replace(made, receipt=receipt, info=replace(made.info, lineage=story))

    class Died(BaseException):
        pass

    def die(*_: object) -> None:
        raise Died

    path = uploads / "a.zip"
    path.write_bytes(archive(synthetic.generate(80, 8), patients=True, washed=True))
    job = services.trigger.submit(path, name="a.zip", identity=None, options=ADAPT, actor="test")
    monkeypatch.setattr(retrain, "make", accept)
    monkeypatch.setattr(Reporter, "verdict", die)
    with pytest.raises(Died):
        retrain.run(services, job.id, 1, threading.Event())
    monkeypatch.undo()
    promoted = services.registry.newest()
    assert promoted is not None
    services.jobs.change(job.id, lambda j: replace(j, state=JobState.QUEUED, lease=None))

    assert retrain.run(services, job.id, 2, threading.Event())
    ended = services.jobs.get(job.id)
    assert (ended.state, ended.verdict) == (JobState.SUCCEEDED, Verdict.ACCEPTED)
    assert ended.version == promoted.version
    newest = services.registry.newest()
    assert newest is not None
    assert newest.number == promoted.number, "nothing more was promoted"


def test_a_run_that_lost_its_lease_writes_no_row_of_the_next(services: Services, uploads: Path) -> None:
    path = uploads / "a.zip"
    path.write_bytes(archive(synthetic.generate(4, 9), patients=True))
    job = services.trigger.submit(path, name="a.zip", identity=None, options=ADAPT, actor="test")
    old = services.jobs.acquire("old", 60)
    assert old is not None
    services.jobs.change(job.id, lambda j: replace(j, state=JobState.RUNNING, lease=old))
    reporter = Reporter(services, [job.id], Heartbeat(services.jobs, old, 60), threading.Event())
    services.jobs.release(old)
    new = services.jobs.acquire("new", 60)
    services.jobs.change(job.id, lambda j: replace(j, lease=new))
    reporter(Progress("train", percent=50.0))
    reporter.end(JobState.FAILED, "the old run thinks so", "unexpected")
    reporter.requeue("the old run wants so", "interrupted")
    stands = services.jobs.get(job.id)
    assert (stands.state, stands.lease, stands.reason, stands.progress) == (JobState.RUNNING, new, "", None)


def test_work_of_ended_jobs_is_swept(services: Services, uploads: Path) -> None:
    first = send(services, uploads, archive(synthetic.generate(8, 1), patients=True))
    left = services.home / "work" / first.id
    left.mkdir()
    (left / "pixels.npy").write_bytes(b"many")
    send(services, uploads, archive(synthetic.generate(8, 2), patients=True))
    assert not left.exists()
