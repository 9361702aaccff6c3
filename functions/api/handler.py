"""The HTTP API as a Lambda function behind an HTTP API of API Gateway."""

import asyncio
from typing import Any

from mangum import Mangum

from malaria import wiring
from malaria.api.app import create_app
from malaria.cold_starts import ColdStarts
from malaria.freshness import Freshness
from malaria.lambda_logs import structured

logger = structured("api")
loop = asyncio.new_event_loop()  # newer Pythons make none by themselves, and Mangum asks for one
asyncio.set_event_loop(loop)
services = wiring.aws(answering=True)
freshness = Freshness(services.served, services.clock)
freshness.look()  # the model is loaded while the function starts, and not while its first caller waits
cold = ColdStarts(services.meter)
app = Mangum(create_app(services), lifespan="off")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One request, which bears one id from the gateway to the last line of its log.

    A route for all methods brings what a browser asks before a page of another origin may ask, too. Who may
    is in the headers that the gateway puts on any answer; the answer itself must be no refusal.
    """
    if event.get("requestContext", {}).get("http", {}).get("method") == "OPTIONS":
        return {"statusCode": 204}
    headers, asked = event.setdefault("headers", {}), event.get("requestContext", {}).get("requestId", "-")
    logger.set_correlation_id(headers.setdefault("x-request-id", asked))
    freshness.look()
    cold.tell()
    return app(event, context)
