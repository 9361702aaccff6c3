"""The message that has the queue of jobs looked at elsewhere."""

import json
import logging
import uuid

import pytest

from malaria.adapters.aws_clients import Clients
from malaria.adapters.sqs_wake import SqsWake
from malaria.settings_aws import AwsSettings


def test_a_message_asks_for_a_look(clients: Clients) -> None:
    sqs = clients.of("sqs")
    url = sqs.create_queue(QueueName=f"work-{uuid.uuid4().hex}")["QueueUrl"]
    SqsWake(clients, lambda: url)()
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"]) == {"look": True}


def test_where_it_cannot_be_sent_it_is_logged_and_never_raises(
    clients: Clients, aws_endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = Clients("http://127.0.0.1:9", tries=1)
    with caplog.at_level(logging.WARNING, "malaria.adapters.sqs_wake"):
        SqsWake(nowhere, lambda: "http://127.0.0.1:9/1/work")()
        SqsWake(clients, lambda: f"{aws_endpoint}/123456789012/gone")()
        SqsWake(clients, lambda: AwsSettings().need("queue_url"))()
    nowhere.close()
    told = caplog.text
    assert told.count("nobody could be told") == 3
    assert "cannot be reached" in told and "NonExistentQueue" in told and "MALARIA_AWS_QUEUE_URL" in told
