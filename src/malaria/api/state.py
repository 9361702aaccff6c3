"""What the routes share: the services they were given, and this process's own counters."""

import os
import time
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from malaria.api.metered import Reading
from malaria.api.turnstile import Tally, Turnstile
from malaria.feature_map import Maps
from malaria.predict import Model
from malaria.services import Services
from malaria.tokens import Tokens
from malaria.vitals import Vitals

BATCHES = 2
"""Batches at once: each keeps every interpreter busy, so more would only slow down the rest."""


@dataclass(frozen=True)
class State:
    """singles, batches, uploads: how much of each may be under way. tokens: signs ids of predictions."""

    services: Services
    singles: Turnstile
    batches: Turnstile
    uploads: Turnstile
    tokens: Tokens
    maps: Maps
    tally: Tally = field(default_factory=Tally)
    vitals: Vitals = field(default_factory=Vitals)
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def over(cls, services: Services) -> "State":
        settings = services.settings
        at_once = settings.interpreters or os.cpu_count() or 1
        return cls(
            services,
            singles=Turnstile(at_once, settings.max_waiting, "predictions"),
            batches=Turnstile(BATCHES, max(1, settings.max_waiting // 8), "batches"),
            uploads=Turnstile(BATCHES, max(1, settings.max_waiting // 8), "uploads"),
            tokens=Tokens(services.signing_keys),
            maps=Maps(services.at_hand.read),
        )

    def reading(self, model: Model) -> Reading:
        """Of the pictures of a request that this model answers."""
        watched = self.services.familiarity
        return Reading(model, watched.of(model.info) if watched else None, self.vitals)


def _state(request: Request) -> State:
    state: State = request.app.state.malaria
    return state


Shared = Annotated[State, Depends(_state)]


def _services(state: Shared) -> Services:
    return state.services


House = Annotated[Services, Depends(_services)]
