"""The canary that a schedule sends: two cells whose answers are known, through the public address."""

from typing import Any

from malaria import wiring
from malaria.lambda_logs import structured

logger = structured("canary")
canary = wiring.canary()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    logger.set_correlation_id(event.get("id", "-"))
    return {"ok": canary.look()}
