"""Events that AWS tells of its own parts. Nobody else may put one on the bus, on ministack either; so what
EventBridge does with it is done here: rules are asked, and their targets called."""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from infra.local.ministack import ACCOUNT, REGION


class Bus:
    """The default bus. events, lambdas, sqs: boto3 clients."""

    def __init__(self, events: Any, lambdas: Any, sqs: Any) -> None:
        self._events, self._lambdas, self._sqs = events, lambdas, sqs

    def tell(self, source: str, kind: str, detail: Mapping[str, Any]) -> None:
        """Deliver an event to the targets of each rule that is for it. Raises ValueError for a target that is
        neither a function nor a queue."""
        event = json.dumps(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": kind,
                "source": source,
                "account": ACCOUNT,
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": REGION,
                "resources": [],
                "detail": detail,
            }
        )
        for rule in self._rules_for(event):
            for target in self._events.list_targets_by_rule(Rule=rule)["Targets"]:
                self._deliver(str(target["Arn"]), event)

    def _rules_for(self, event: str) -> Iterator[str]:
        for rule in self._events.list_rules()["Rules"]:
            pattern = rule.get("EventPattern")
            if pattern and rule["State"] == "ENABLED":
                asked = self._events.test_event_pattern(EventPattern=pattern, Event=event)
                if asked["Result"]:
                    yield str(rule["Name"])

    def _deliver(self, target: str, event: str) -> None:
        service, name = target.split(":")[2], target.rpartition(":")[2]
        if service == "lambda":
            self._lambdas.invoke(FunctionName=target, InvocationType="Event", Payload=event.encode())
        elif service == "sqs":
            url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            self._sqs.send_message(QueueUrl=url, MessageBody=event)
        else:
            raise ValueError(f"{target} is no target that is known here")
