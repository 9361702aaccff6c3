"""Logs of a Lambda function: one JSON object a line, with its service and the id of what was asked."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


def structured(service: str) -> "Logger":
    """The logger of a function; what the house logs goes through it, too."""
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

    logger = Logger(service=service)
    logging.getLogger("malaria")  # it must be known to be found
    copy_config_to_registered_loggers(logger, include={"malaria"})
    return logger
