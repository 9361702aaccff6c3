"""The look round that a schedule asks for: whatever was lost on its way is found here."""

from dataclasses import asdict
from typing import Any

from malaria import rounds, wiring
from malaria.lambda_logs import structured

logger = structured("reconcile")
services = wiring.aws(launching=True)
arrivals = wiring.arrivals(services)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    logger.set_correlation_id(event.get("id", "-"))
    found = asdict(rounds.go(services, arrivals))
    logger.info("looked round", extra=found)
    return found
