"""Why the stack does what AwsSolutions warns of. What has no reason here fails the synthesis."""

import re
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

PLAIN_HTTP = ("S10", "SQS4", "SNS3")
"""What warns of plain HTTP."""
_MANAGED = "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{}]"
WRITES_ITS_LOG = _MANAGED.format("AWSLambdaBasicExecutionRole")
SHIFTS_AN_ALIAS = _MANAGED.format("AWSCodeDeployRoleForLambdaLimited")

RULES = {
    "APIG4": "The application itself checks keys and scopes, and says what is wrong with one; "
    "/health is open, so that a load balancer or a person may ask.",
    "VPC7": "Nothing listens here: the trainings' security group takes nothing in. Flow logs would tell of "
    "the trainings' own calls to AWS, which CloudTrail tells better.",
    "ECS2": "The variables name buckets, tables and limits. None is secret: keys lie in the models' "
    "bucket, below private/.",
    "ECS4": "Trainings run for minutes and tell the ledger how far they are; Container Insights would "
    "cost more than they do.",
    "S1": "This bucket holds the access logs of the others; its own would be written into itself.",
    "SNS2": "Alarms name the deployment and a figure, and nothing of patients. A key of AWS's own would keep "
    "CloudWatch from publishing.",
    "CFR1": "Laboratories anywhere may use the page.",
    "CFR2": "The page's files are public and static; the API behind them throttles, and asks for a key.",
    "CFR3": "The API's access log tells every call; who reads the page's own files is nobody's business.",
    "CFR4": "A minimum TLS version needs a certificate for a domain of one's own, which few have.",
    "CFR5": "The API's own endpoint speaks TLS 1.2 or newer only.",
    "L1": "The runtime of the CDK's own function, which copies the page, is chosen by the CDK.",
    **dict.fromkeys(
        PLAIN_HTTP, "The settings say that this is for a local stand-in of AWS, which has no TLS."
    ),
    WRITES_ITS_LOG: "The CDK's own function, which copies the page, has AWS's policy to write its log.",
    SHIFTS_AN_ALIAS: "AWS says what CodeDeploy needs to shift an alias; this is its narrowest policy.",
}
"""Rules of AwsSolutions, and why we do otherwise where it is acknowledged."""

WILDCARDS = {
    "/models/*": "Versions are named when they are made.",
    "/promotions/*": "Promotions are numbered as they come.",
    "/datasets/*": "Datasets are named by their content.",
    "/gate-looks/*": "Looks at the gate patients are numbered as they come.",
    "/kept/*": "Kept pictures are named by their content.",
    "/private/*": "Keys are named by what they are for.",
    "/checkpoints/*": "Checkpoints are named by job and epoch.",
    "/tickets/*": "Tickets are named by chance, so that none is guessed.",
    "/uploads/*": "Uploads are named by the job that takes them in.",
    "/sagemaker/*": "SageMaker names what it leaves of a job.",
    "/incoming/*": "Uploads get a name of their own, so that none overwrites another.",
    "/index/*": "A listing may ask each of the table's indexes.",
    ":task/<>/*": "Tasks are named by ECS when they start. Only those of this cluster are meant.",
    ":training-job/{deployment}-????????????????-*": "Jobs are named by id and attempt; those of this "
    "deployment are meant.",
    ":log-group:/aws/sagemaker/TrainingJobs:*": "SageMaker names the streams of its log.",
    "ecr:GetAuthorizationToken *": "A token is for the whole registry; what may be pulled is named.",
    "ec2:* *": "SageMaker joins a network with interfaces that have no name before they are made.",
    "cloudwatch:GetMetricData *": "CloudWatch has no rights by namespace or name of a figure.",
    "xray:* *": "X-Ray takes traces without naming what they belong to.",
}
"""Ends of the resources that have a wildcard, and why none narrower would do; `<>` stands for a name that
CloudFormation gives, and '*' alone goes with the actions that it is meant for."""

COPIER = {
    "Action::s3:GetObject*": "Reads the page from the CDK's assets, and compares it with what is there.",
    "Action::s3:GetBucket*": "Reads where these buckets are and how they are encrypted.",
    "Action::s3:List*": "Lists what is there, to find what has changed.",
    "Action::s3:DeleteObject*": "Removes the files of the page that was there before.",
    "Action::s3:Abort*": "Gives up a file that it could not send whole.",
    "Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*": "Holds the "
    "page.",
    "Resource::<{page}.Arn>/*": "Every file of the page is its to replace.",
    "Resource::*": "CloudFront is asked to forget the old page; the CDK's function names no distribution.",
}
"""The rights that the CDK gives to its own function that copies the page, and what each is for."""

EMPTIER = {
    "s3:DeleteObject*": "Removes the files of the page, with which its bucket goes.",
    "s3:GetBucket*": "Reads whether the bucket is marked to be emptied.",
    "s3:List*": "Lists what is there to remove.",
}
"""The rights with a wildcard that the page's bucket gives to the CDK's own function that empties it, and what
each is for; they hold for this bucket only."""


def accept_copier(construct: IConstruct, page: str) -> None:
    """Acknowledge what the CDK's own function does. page: logical id of the bucket of the page."""
    accept(construct, "L1", WRITES_ITS_LOG)
    for finding, reason in COPIER.items():
        _acknowledge(construct, f"AwsSolutions-IAM5[{finding.format(page=page)}]", reason)


def accept(construct: IConstruct, *rules: str) -> None:
    """Acknowledge rules for one construct, with the reasons above."""
    for rule in rules:
        _acknowledge(construct, f"AwsSolutions-{rule}", RULES[rule])


def wildcard(who: IConstruct, actions: list[str], resource: str) -> None:
    """Acknowledge a wildcard in someone's policy. Raises ValueError where it has no reason."""
    told = Stack.of(who).resolve(resource)
    reason = reason_for(actions, flat(told), Stack.of(who).stack_name)
    if reason is None:
        raise ValueError(f"{flat(told)} has a wildcard; say why in infra/reasons.py")
    _acknowledge(who, f"AwsSolutions-IAM5[Resource::{flat(told)}]", reason)


def reason_for(actions: list[str], resource: str, deployment: str) -> str | None:
    """Why a policy's resource, as `flat` tells it, may have a wildcard; None where nothing says so."""
    if resource == "*":
        families = {action.partition(":")[0] + ":* *" for action in actions}
        keys = (
            [f"{actions[0]} *"] if len(actions) == 1 and f"{actions[0]} *" in WILDCARDS else sorted(families)
        )
        return WILDCARDS.get(keys[0]) if len(keys) == 1 else None
    bare = _nameless(resource)
    return next(
        (why for end, why in WILDCARDS.items() if bare.endswith(end.format(deployment=deployment))), None
    )


def flat(told: Any) -> str:
    """A resolved resource as cdk-nag writes it: `<Logical.Arn>` for what CloudFormation fills in."""
    match told:
        case str():
            return told
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Sub": str() as text}:
            return re.sub(r"\$\{(.+?)\}", r"<\1>", text)
        case {"Fn::Join": [between, parts]}:
            return str(between).join(flat(part) for part in parts)
    raise ValueError(f"{told} cannot be told as one text")


def _nameless(resource: str) -> str:
    head, _, tail = resource.rpartition("<")
    name, closed, rest = tail.partition(">")
    return f"{head}<>{rest}" if closed and name else resource


def _acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
