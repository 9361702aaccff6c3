"""Tickets for uploads that are too large for one request to the API: asked for first, then redeemed.

A ticket is an object, `tickets/{id}.json`, that holds what the upload's job is to know. Its id is 128 random
bits and is the identity of the upload, so of one ticket comes one job, however often it is redeemed.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from malaria import codec
from malaria.domain import Job
from malaria.errors import NotFound
from malaria.options import validate_options
from malaria.ports import Clock, ObjectStore
from malaria.stored import decoded, encoded
from malaria.trigger import Trigger

FOLDER = "tickets/"
HOLDS = timedelta(hours=1)
_ID = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(rf"{FOLDER}({_ID.pattern})\.zip")


@dataclass(frozen=True, slots=True)
class Ticket:
    """name: of the upload. options: those that were chosen, which come before those of a retrain.json."""

    id: str
    name: str
    actor: str
    created: datetime
    until: datetime
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Of the ZIP, below the folder of uploads."""
        return f"{FOLDER}{self.id}.zip"

    @property
    def identity(self) -> str:
        return f"ticket:{self.id}"


class Tickets:
    """The tickets in an object store, and the trigger that redeems them."""

    def __init__(self, objects: ObjectStore, trigger: Trigger, clock: Clock) -> None:
        self._objects, self._trigger, self._clock = objects, trigger, clock

    def issue(self, name: str, options: Mapping[str, Any], actor: str) -> Ticket:
        """A new ticket. Raises BadOptions where the options cannot be, Busy where the store fails."""
        validate_options(options)
        now = self._clock.now()
        ticket = Ticket(uuid.uuid4().hex, name, actor, now, now + HOLDS, dict(options))
        self._objects.create(_object(ticket.id), encoded(codec.to_json(ticket)))
        return ticket

    def get(self, ticket_id: str) -> Ticket:
        """Raises NotFound where it was never issued, or was so long ago that it was tidied away."""
        try:
            if not _ID.fullmatch(ticket_id):
                raise NotFound
            content = self._objects.get(_object(ticket_id))
        except NotFound:
            raise NotFound(f"There is no upload {ticket_id[:40]!r}. POST /uploads opens one.") from None
        return decoded(_object(ticket_id), content, lambda told: codec.from_json(Ticket, told))

    def job(self, ticket: Ticket) -> Job | None:
        """What came of it, if anything has."""
        return self._trigger.known(ticket.identity)

    def redeem(self, ticket: Ticket, archive: Path) -> Job:
        """Take in the ZIP of a ticket, once: the job that stands is answered again.

        Whether it came in time is for whoever let it in to say. Raises as `Trigger.take_in`.
        """
        return self._trigger.take_in(
            archive, name=ticket.name, identity=ticket.identity, actor=ticket.actor, chosen=ticket.options
        )


def id_of(key: str) -> str | None:
    """The ticket by which an object, by its key below the folder of uploads, came; None for any other."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def _object(ticket_id: str) -> str:
    return f"{FOLDER}{ticket_id}.json"
