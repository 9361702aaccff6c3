"""Messages of the queue: an upload that has arrived, or a wish to have the ledger looked at."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from malaria import wiring
from malaria.arrivals import told
from malaria.lambda_logs import structured

logger = structured("on_upload")
services = wiring.aws(launching=True)
arrivals = wiring.arrivals(services)
batch = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def see_to(record: SQSRecord) -> None:
    """What fails is brought again by the queue; what was done by then is known, and not done twice."""
    logger.set_correlation_id(record.message_id)
    try:
        upload = told(record.body)
        job = arrivals.take(upload) if upload else None
        launched = services.trigger.dispatch()
    except Exception:
        logger.exception("a message could not be seen to; the queue brings it again")
        raise
    known = {"job": job.id, "state": job.state.value} if job else {}
    logger.info("seen to", extra={**known, "launched": launched.id if launched else None})


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> Any:
    return process_partial_response(event, see_to, batch, context)
