"""A training changed its state. What has ended is seen to, and what waits is launched."""

from typing import Any

from malaria import rounds, wiring
from malaria.lambda_logs import structured

logger = structured("on_job_change")
services = wiring.aws(launching=True)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """Events repeat and come out of order, so nothing is believed of one but that it is time to look."""
    logger.set_correlation_id(event.get("id", "-"))
    rounds.look(services)
