"""The inbox: what is whole is taken in once, what is not is waited for, nothing is lost."""

import logging
import os
import sys
import zipfile
from pathlib import Path

import pytest

from malaria.adapters.inbox import Inbox
from malaria.domain import Job, JobState, Method
from malaria.errors import Busy
from malaria.trigger import Trigger
from tests.unit.plays import Killed, Mortal, Stage
from tests.unit.test_trigger import zipped


class Room:
    """An inbox over the fakes, and a clock that a test turns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.stage = Stage(folder)
        self.folder = folder / "inbox"
        self.time = 100.0
        self.inbox = self.opened()

    def opened(self, trigger: Trigger | None = None) -> Inbox:
        return Inbox(self.folder, trigger or self.stage.trigger, monotonic=lambda: self.time)

    def scan(self, after: float = 1.0) -> list[Job]:
        self.time += after
        return self.inbox.scan()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path / "room")
    assert room.scan() == []
    return room


def test_a_zip_is_taken_in_and_removed(room: Room) -> None:
    zipped(room.folder / "a+b %41é.zip", '{"method": "full"}')
    content = (room.folder / "a+b %41é.zip").read_bytes()
    assert room.scan() == []
    (job,) = room.scan()
    assert (job.state, job.name, job.actor) == (JobState.QUEUED, "a+b %41é.zip", "inbox")
    assert job.options.method == Method.FULL
    assert room.stage.objects.get(job.upload) == content
    assert room.names() == []
    assert room.scan() == []


def test_two_scans_in_one_moment_are_not_enough(room: Room) -> None:
    zipped(room.folder / "a.zip", None)
    assert [room.scan(after=0.3) for _ in range(4)] == [[], [], [], []]
    assert len(room.scan(after=0.3)) == 1


def test_a_growing_zip_is_waited_for(room: Room) -> None:
    whole = zipped(room.stage.folder / "whole.zip", None).read_bytes()
    target = room.folder / "a.zip"
    for end in range(0, len(whole), 100):
        target.write_bytes(whole[:end])
        assert room.scan(after=5) == []
    target.write_bytes(whole)
    assert room.scan() == []
    (job,) = room.scan()
    assert room.stage.objects.get(job.upload) == whole


def test_what_never_becomes_a_zip_fails_visibly_and_stays(room: Room) -> None:
    target = room.folder / "a.zip"
    target.write_bytes(b"PK\x03\x04 and then the stick was pulled out")
    found = [job for _ in range(30) for job in room.scan()]
    assert [job.state for job in found] == [JobState.FAILED]
    assert found[0].reason
    assert room.stage.objects.get(found[0].upload) == target.read_bytes()
    assert room.names() == ["a.zip"]
    room.inbox = room.opened()
    assert {job.id for _ in range(30) for job in room.scan()} == {found[0].id}
    zipped(target, None)  # the copy goes on after all
    assert [job.state for _ in range(3) for job in room.scan()] == [JobState.QUEUED]
    assert room.names() == []


def test_bad_options_fail_visibly(room: Room) -> None:
    zipped(room.folder / "a.zip", '{"epochs": "many"}')
    room.scan()
    (job,) = room.scan()
    assert job.state == JobState.FAILED
    assert "epochs" in job.reason
    assert room.names() == []
    assert room.stage.objects.exists(job.upload)


@pytest.mark.parametrize("name", [".a.zip", "a.zip.part", "a.zip.crdownload", "~a.zip", "a.tmp"])
def test_unfinished_names_are_not_touched(room: Room, name: str, caplog: pytest.LogCaptureFixture) -> None:
    zipped(room.folder / name, None)
    assert [job for _ in range(20) for job in room.scan()] == []
    assert room.names() == [name]
    assert caplog.records == []


def test_other_files_are_left_alone_and_told_once(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    (room.folder / "cells.rar").write_bytes(b"Rar!")
    (room.folder / "folder.zip").mkdir()
    for _ in range(15):
        assert room.scan() == []
    assert room.names() == ["cells.rar", "folder.zip"]
    assert [r.levelno for r in caplog.records] == [logging.WARNING] * 2
    assert "cells.rar" in caplog.text


def test_upper_case_is_a_zip_too(room: Room) -> None:
    zipped(room.folder / "A.ZIP", None)
    room.scan()
    (job,) = room.scan()
    assert job.upload.endswith("/A.zip")


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS keeps no such names")
def test_a_name_that_is_no_text(room: Room) -> None:
    zipped(room.folder / "a.zip", None).rename(room.folder / os.fsdecode(b"\xff\xfe.zip"))
    room.scan()
    (job,) = room.scan()
    assert job.name == "??.zip"
    assert room.stage.objects.exists(job.upload)
    assert room.names() == []


def test_the_same_file_dropped_again_is_a_new_upload(room: Room) -> None:
    """Also with its old times, as copies that preserve them have: a person wants it tried again."""
    first = zipped(room.folder / "a.zip", None)
    content, times = first.read_bytes(), first.stat()
    room.scan()
    (one,) = room.scan()
    first.write_bytes(content)
    os.utime(first, ns=(times.st_atime_ns, times.st_mtime_ns))
    room.scan()
    (two,) = room.scan()
    assert one.id != two.id
    assert room.names() == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("last", [1, 2, 3])
def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing(room: Room, last: int, after: bool) -> None:
    content = zipped(room.folder / "a.zip", None).read_bytes()
    mortal = [last]
    dying = Trigger(
        Mortal(room.stage.objects, mortal, after),  # type: ignore[arg-type]
        Mortal(room.stage.jobs, mortal, after),  # type: ignore[arg-type]
        room.stage.launcher,
        room.stage.clock,
    )
    room.inbox = room.opened(dying)
    room.scan()
    with pytest.raises(Killed):
        room.scan()
    assert room.names() == ["a.zip"]
    room.inbox = room.opened()
    room.scan()
    room.scan()
    (job,) = room.stage.jobs.list()
    assert room.stage.objects.get(job.upload) == content
    assert room.names() == []


def test_a_file_whose_job_has_long_ended_is_only_removed(room: Room) -> None:
    """The server died before it removed the file, and the job ran to its end meanwhile."""
    zipped(room.folder / "a.zip", None)
    dying = Trigger(
        room.stage.objects,
        Mortal(room.stage.jobs, [2], True),  # type: ignore[arg-type]
        room.stage.launcher,
        room.stage.clock,
    )
    room.inbox = room.opened(dying)
    room.scan()
    with pytest.raises(Killed):
        room.scan()
    room.stage.run(room.stage.launch()).end()
    room.inbox = room.opened()
    room.scan()
    assert [job.state for job in room.scan()] == [JobState.SUCCEEDED]
    assert room.names() == []
    assert len(room.stage.jobs.list()) == 1


def test_two_servers_with_one_inbox(room: Room) -> None:
    zipped(room.folder / "a.zip", None)
    other = room.opened()
    room.scan()
    other.scan()
    room.time += 1
    found = room.inbox.scan() + other.scan()
    assert len(found) == 1
    assert len(room.stage.jobs.list()) == 1


def test_one_that_cannot_be_taken_in_stays_and_holds_up_no_other(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing:
        def take_in(self, source: Path, *, name: str, identity: str | None, actor: str) -> Job:
            if name == "a.zip":
                raise Busy("the disk is full")
            return room.stage.trigger.take_in(source, name=name, identity=identity, actor=actor)

    zipped(room.folder / "a.zip", None)
    zipped(room.folder / "b.zip", None)
    room.inbox = Inbox(room.folder, Refusing(), monotonic=lambda: room.time)
    found = [job for _ in range(25) for job in room.scan()]
    assert [job.name for job in found] == ["b.zip"]
    assert room.names() == ["a.zip"]
    assert caplog.text.count("the disk is full") == 1
    room.inbox = Inbox(room.folder, room.stage.trigger, monotonic=lambda: room.time)
    assert [job.name for _ in range(3) for job in room.scan()] == ["a.zip"]


def test_a_file_that_changes_while_it_is_taken_in_is_not_removed(room: Room) -> None:
    class Slow:
        def take_in(self, source: Path, *, name: str, identity: str | None, actor: str) -> Job:
            job = room.stage.trigger.take_in(source, name=name, identity=identity, actor=actor)
            with zipfile.ZipFile(source, "a") as archive:
                archive.writestr("Parasitized/late.png", b"one more")
            return job

    zipped(room.folder / "a.zip", None)
    room.inbox = Inbox(room.folder, Slow(), monotonic=lambda: room.time)
    room.scan()
    assert len(room.scan()) == 1
    assert room.names() == ["a.zip"]
    room.inbox = room.opened()
    room.scan()
    (job,) = room.scan()
    assert b"late.png" in room.stage.objects.get(job.upload)
    assert room.names() == []
