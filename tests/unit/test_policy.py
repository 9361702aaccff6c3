"""A retraining opens by itself once enough confirmed cells have gathered: once, whatever races or
restarts."""

import os
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from malaria import policy, preprocess, wiring
from malaria.adapters.memory_launcher import MemoryLauncher
from malaria.domain import Confirmation, Job, JobState, Label, RetrainOptions, Said
from malaria.ingest import Held, ingest
from malaria.packing import pack
from malaria.services import Services
from malaria.settings import Settings
from malaria.supervisor import Supervisor
from malaria.trigger import Trigger
from tests.unit import zips

NOW = datetime(2026, 1, 5, tzinfo=UTC)
WANTED = 24
Start = Callable[[], Services]


@pytest.fixture
def start(home: Path, models_dir: Path) -> Start:
    """A process's services over one home; trainings are not really started."""

    def services(**settings: float) -> Services:
        chosen = {"keep_days": 30, "retrain_confirmed": WANTED, **settings}
        built = wiring.local(home, Settings(home=home, shipped=models_dir, **chosen))  # type: ignore[arg-type]
        launcher = MemoryLauncher()
        trigger = Trigger(built.objects, built.jobs, launcher, built.clock)
        return replace(built, launcher=launcher, trigger=trigger)

    return services


def confirm(
    services: Services,
    cell: int,
    label: Label | None = None,
    by: str = "ada",
    *,
    version: str = "v1",
    right: bool = True,
) -> None:
    """A picture is answered, kept, and confirmed, as the API does it."""
    picture = zips.png(cell)
    name = preprocess.fingerprint_of(preprocess.decode(picture))
    services.kept.keep(name, picture)
    truth = Label(cell % 2) if label is None else label
    told = truth if right else Label(1 - truth)
    said = Said(f"{by}-{cell}", version, 0.9 if told else 0.1, 0.5, told, NOW, name)
    services.feedback.add(Confirmation(said, truth, by, None, f"k-{cell // 4}", NOW))
    services.kept.confirm(name)


def jobs(services: Services) -> list[Job]:
    return services.jobs.list()


def end(services: Services, state: JobState = JobState.SUCCEEDED) -> None:
    """Whatever waits or runs has come to its end."""
    for job in jobs(services):
        if not job.state.terminal:
            services.jobs.change(job.id, lambda job: replace(job, state=state))


def test_enough_confirmed_cells_open_a_retraining_once(start: Start, tmp_path: Path) -> None:
    services = start()
    for cell in range(WANTED - 1):
        confirm(services, cell)
    assert policy.look(services) is None
    confirm(services, WANTED - 1)
    opened = policy.look(services)
    assert opened is not None
    assert (opened.actor, opened.name, opened.options.note) == (
        "policy",
        "confirmed-1.zip",
        "24 confirmed cells",
    )
    assert policy.look(services) is None
    assert jobs(services) == [opened]
    assert services.kept.pool() == set()
    services.objects.fetch(opened.upload, tmp_path / "up.zip")
    taken = ingest(
        tmp_path / "up.zip", kind="site", held=Held(), known_roles={}, work=tmp_path / "work", now=NOW
    )
    assert taken.report.accepted == {"Parasitized": 12, "Uninfected": 12}
    assert {cell.patient for cell in taken.shard.cells} == {f"k-{i}" for i in range(6)}


def test_what_a_killed_hand_over_left_is_removed_and_what_is_being_filled_is_not(start: Start) -> None:
    services = start()
    left, filled = (services.home / "work" / f"confirmed-{name}" for name in ("left", "filled"))
    for folder in (left, filled):
        folder.mkdir()
        (folder / "confirmed.zip").write_bytes(b"pictures")
    hours_ago = time.time() - 2 * 3600
    os.utime(left, (hours_ago, hours_ago))
    for cell in range(WANTED):
        confirm(services, cell)
    assert policy.look(services) is not None
    assert [one.name for one in (services.home / "work").glob("confirmed-*")] == ["confirmed-filled"]


def test_the_next_one_opens_on_new_cells_only(start: Start) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)
    policy.look(services)
    end(services)
    for cell in range(WANTED):  # answered and confirmed once more
        confirm(services, cell, by="ben")
        confirm(services, cell, by="ada")
    assert policy.look(services) is None
    assert services.kept.pool() == set()
    for cell in range(100, 100 + WANTED):
        confirm(services, cell)
    second = policy.look(services)
    assert second is not None and second.name == "confirmed-2.zip"
    assert len(jobs(services)) == 2


def test_both_classes_must_be_there(start: Start) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell, Label(cell < policy.EACH - 1))
    assert policy.look(services) is None
    confirm(services, WANTED, Label.PARASITIZED)
    assert policy.look(services) is not None


def test_disputed_cells_do_not_count(start: Start) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)
    confirm(services, 3, Label.UNINFECTED, by="ben")
    assert policy.look(services) is None
    confirm(services, 3, Label.PARASITIZED, by="ben")
    assert policy.look(services) is not None


def test_it_is_off_by_default_and_without_pictures(start: Start) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)
    assert policy.look(start(retrain_confirmed=0)) is None  # type: ignore[call-arg]
    assert policy.look(start(keep_days=0, retrain_confirmed=0)) is None  # type: ignore[call-arg]
    assert jobs(services) == []
    default = Settings()
    assert (default.keep_days, default.retrain_confirmed, default.retrain_drift) == (0, 0, 0.0)
    assert not default.opens_retrainings


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_none_opens_while_another_retraining_waits_or_runs(
    start: Start, tmp_path: Path, state: JobState
) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)
    upload = zips.pack(tmp_path / "theirs.zip", {"Parasitized/a.png": b"", "Uninfected/b.png": b""})
    theirs = services.trigger.submit(
        upload, name="theirs.zip", identity=None, options=RetrainOptions(), actor="ada"
    )
    services.jobs.change(theirs.id, lambda job: replace(job, state=state))
    assert policy.look(services) is None
    assert len(services.kept.pool()) == WANTED
    end(services, JobState.FAILED)
    opened = policy.look(services)
    assert opened is not None and opened.actor == "policy"
    assert policy.look(services) is None


def drifting(services: Services, every: int) -> None:
    """The served model, nine tenths sure of each of 60 cells, was wrong about every so many of them."""
    served = services.registry.newest()
    assert served is not None
    for cell in range(60):
        confirm(services, cell, version=served.version, right=cell % every > 0)


def test_fewer_open_one_where_the_served_model_errs_more_than_it_says(start: Start) -> None:
    services = start(retrain_confirmed=0, retrain_drift=3)  # type: ignore[call-arg]
    drifting(services, every=2)
    opened = policy.look(services)
    assert opened is not None
    assert opened.options.note == "60 confirmed cells; 30 of 60 answered wrongly, 6.0 expected"
    end(services)
    drifting(services, every=2)  # the same cells once more are no news
    assert policy.look(services) is None


def test_errors_that_were_to_be_expected_open_none(start: Start) -> None:
    services = start(retrain_confirmed=0, retrain_drift=3)  # type: ignore[call-arg]
    drifting(services, every=10)
    assert policy.look(services) is None
    enough = policy.look(start(retrain_drift=3))  # type: ignore[call-arg]
    assert enough is not None and enough.options.note == "60 confirmed cells"


def test_errors_of_a_model_that_is_not_served_any_more_open_none(start: Start) -> None:
    services = start(retrain_confirmed=0, retrain_drift=3)  # type: ignore[call-arg]
    for cell in range(60):
        confirm(services, cell, version="v1", right=cell % 2 > 0)
    assert policy.look(services) is None


def test_of_many_who_look_at_once_one_opens_it(start: Start) -> None:
    first = start()
    for cell in range(WANTED):
        confirm(first, cell)
    looking = [first, *(start() for _ in range(5))]
    together = threading.Barrier(len(looking))

    def look(services: Services) -> None:
        together.wait(60)
        policy.look(services)

    with ThreadPoolExecutor(len(looking)) as pool:
        list(pool.map(look, looking))
    policy.look(first)
    assert [job.name for job in jobs(first)] == ["confirmed-1.zip"]
    assert first.kept.pool() == set()


def test_a_late_looker_leaves_the_pictures_of_a_round_that_is_being_handed_over(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)

    def meanwhile(*arguments: Any, **more: Any) -> Any:
        late = start()
        assert policy._due(late) is None  # it had seen no round, and sees one now
        assert len(late.kept.pool()) == WANTED
        return pack(*arguments, **more)

    monkeypatch.setattr(policy, "pack", meanwhile)
    assert policy.look(services) is not None


class Killed(BaseException):
    """The process ends here."""


def killed(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("at", ["pack", "submitted", "marked", "removing"])
def test_a_process_killed_anywhere_is_made_good_by_the_next(
    start: Start, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)

    with monkeypatch.context() as patched:
        if at == "pack":
            patched.setattr(policy, "pack", killed)
        elif at == "submitted":
            patched.setattr(services.kept.objects, "put", killed)
        elif at == "marked":
            patched.setattr(services.kept, "remove", killed)
        else:
            removed: list[int] = []
            remove = services.kept.remove

            def some(cell: int) -> None:
                if len(removed) == 5:
                    raise Killed
                removed.append(cell)
                remove(cell)

            patched.setattr(services.kept, "remove", some)
        with pytest.raises(Killed):
            policy.look(services)
    again = start()
    policy.look(again)
    policy.look(again)
    (job,) = jobs(again)
    again.objects.fetch(job.upload, again.home / "up.zip")
    with zipfile.ZipFile(again.home / "up.zip") as archive:
        assert len(archive.namelist()) == WANTED + 1
    end(again)
    for cell in range(200, 200 + WANTED):
        confirm(again, cell)
    second = policy.look(again)
    assert second is not None and second.options.note == f"{WANTED} confirmed cells"
    assert again.kept.pool() == set()


def test_a_round_whose_pictures_are_gone_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)

    with monkeypatch.context() as patched:
        patched.setattr(policy, "pack", killed)
        with pytest.raises(Killed):
            policy.look(services)
    for cell in services.kept.pool():
        services.kept.remove(cell)
    assert policy.look(services) is None
    assert jobs(services) == []
    for cell in range(300, 300 + WANTED):
        confirm(services, cell)
    opened = policy.look(services)
    assert opened is not None and opened.name == "confirmed-2.zip"


def test_the_supervisor_opens_it_after_a_restart_and_removes_what_has_no_use(start: Start) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)
    Supervisor(services, wiring.inbox(services)).look()
    (job,) = jobs(services)
    assert job.actor == "policy"
    confirm(services, 500)
    services.kept.keep(7, b"waits")
    off = start(retrain_confirmed=0, keep_days=0)  # type: ignore[call-arg]
    Supervisor(off, wiring.inbox(off)).look()
    assert [info.key for info in off.kept.objects.list("")] == ["rounds/00000001.json"]


def test_what_a_round_says_of_people_is_gone_once_it_is_handed_over(start: Start) -> None:
    services = start()
    for cell in range(WANTED):
        confirm(services, cell)
    policy.look(services)
    (kept,) = services.kept.objects.list("rounds/")
    told = services.kept.objects.get(kept.key).decode()
    assert "k-0" not in told and "ada" not in told
