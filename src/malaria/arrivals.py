"""What arrives in the bucket of uploads becomes a job: as its event is told, or, where the event was lost,
when the bucket is looked through."""

import json
import logging
import tempfile
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from malaria.domain import Job, ObjectVersion
from malaria.errors import BadInput, NotFound, UploadTooLarge
from malaria.services import Services
from malaria.settings_aws import INCOMING
from malaria.tickets import Ticket, id_of

log = logging.getLogger(__name__)

ACTOR = "s3"


class Uploads(Protocol):
    """The bucket of uploads."""

    def list(self) -> Iterable[ObjectVersion]: ...

    def newest(self, upload: ObjectVersion) -> ObjectVersion:
        """The version that stands under the key of an upload. Raises NotFound where there is none."""

    def fetch(self, upload: ObjectVersion, to: Path) -> None:
        """Raises NotFound."""


class Arrivals:
    """Takes uploads in. Events may repeat and come in any order: one version of an object is one job.

    on_its_way: for so long an event may take: what is younger is not missed yet.
    """

    def __init__(self, services: Services, uploads: Uploads, on_its_way: timedelta) -> None:
        self._services, self._uploads, self._on_its_way = services, uploads, on_its_way
        self._accounted: set[str] = set()

    def take(self, upload: ObjectVersion) -> Job | None:
        """The job of an upload, which is read only where there is none yet; None where it is no upload, or is
        gone.

        What cannot be used becomes a job that has failed, with the reason. Raises Busy where bucket, store or
        ledger fail, OSError where there is no room for it; take it again.
        """
        if not _is_upload(upload):
            log.info("an object outside of %s, or a folder, starts nothing", INCOMING)
            return None
        if not upload.version:  # its event named none, as those of a bucket without versions do
            try:
                upload = self._uploads.newest(upload)
            except NotFound:
                log.warning("an upload is gone before it was taken in")
                return None
        job = self._known(upload) or self._take_in(upload)
        if job is not None:
            self._accounted.add(upload.identity)
        return job

    def missed(self) -> list[Job]:
        """Take in the uploads whose events were lost; return their jobs. Raises as `take`."""
        before = self._services.clock.now() - self._on_its_way
        jobs = []
        for upload in self._uploads.list():
            late = upload.modified is not None and upload.modified < before
            if not late or not _is_upload(upload) or upload.identity in self._accounted:
                continue
            if self._known(upload) is not None:
                self._accounted.add(upload.identity)
                continue
            job = self.take(upload)
            if job is not None:
                log.warning("an upload had no job; its event was lost: job %s", job.id)
                jobs.append(job)
        return jobs

    def _take_in(self, upload: ObjectVersion) -> Job | None:
        ticket, most = self._ticket(upload), self._services.settings.max_upload_bytes
        trigger, identity = self._services.trigger, ticket.identity if ticket else upload.identity
        name, actor = PurePosixPath(upload.key).name, ACTOR
        if ticket:
            name, actor = ticket.name, ticket.actor
        if upload.size > most:
            error = UploadTooLarge(
                f"The ZIP has {upload.size:,} bytes; at most {most:,} are taken. Split it."
            )
            return trigger.refuse(name=name, identity=identity, actor=actor, error=error)
        with tempfile.TemporaryDirectory(prefix="upload-", dir=self._services.home / "work") as folder:
            path = Path(folder) / "upload.zip"
            try:
                self._uploads.fetch(upload, path)
            except NotFound:
                log.warning("version %s of an upload is gone before it was taken in", upload.version)
                return None
            chosen = ticket.options if ticket else None
            return trigger.take_in(path, name=name, identity=identity, actor=actor, chosen=chosen)

    def _known(self, upload: ObjectVersion) -> Job | None:
        ticket = self._ticket(upload)
        return self._services.trigger.known(ticket.identity if ticket else upload.identity)

    def _ticket(self, upload: ObjectVersion) -> Ticket | None:
        """The ticket by which an upload came, which says more of it than its key; of one comes one job."""
        ticket = id_of(upload.key.removeprefix(INCOMING))
        try:
            return self._services.tickets.get(ticket) if ticket else None
        except NotFound:
            return None


def told(message: str) -> ObjectVersion | None:
    """The upload that a message of the queue tells of; None where it only asks to look at the ledger.

    Keys are read as EventBridge gives them, verbatim. Raises BadInput for any other message.
    """
    try:
        event = json.loads(message)
        if event == {"look": True}:
            return None
        return _of_event(event)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"A message of the queue is none that is known: {type(error).__name__}.") from error


def _of_event(event: Mapping[str, Any]) -> ObjectVersion:
    if (event["source"], event["detail-type"]) != ("aws.s3", "Object Created"):
        raise ValueError(event["detail-type"])
    detail = event["detail"]
    found = detail["object"]
    return ObjectVersion(
        bucket=str(detail["bucket"]["name"]),
        key=str(found["key"]),
        version=str(found.get("version-id", "")),
        size=int(found["size"]),
    )


def _is_upload(upload: ObjectVersion) -> bool:
    return upload.key.startswith(INCOMING) and not upload.key.endswith("/")
