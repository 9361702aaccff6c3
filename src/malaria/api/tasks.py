"""A retraining job as it is told over HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

from malaria.domain import Job, JobState, Method, Verdict

EXAMPLE: JsonDict = {
    "task_id": "9f2c4e1ab07d3356",
    "name": "site.zip",
    "state": "running",
    "step": "fit",
    "percent": 40.0,
    "epoch": 2,
    "epochs": 5,
    "eta_seconds": 31.0,
    "reason": "",
    "actor": "http",
    "created": "2026-01-02T03:04:05Z",
    "started": "2026-01-02T03:04:06Z",
    "links": {
        "self": "/retrain/status/9f2c4e1ab07d3356",
        "cancel": "/retrain/tasks/9f2c4e1ab07d3356",
    },
}


class Options(BaseModel):
    """None: the method's own default."""

    method: Method
    epochs: int | None
    batch_size: int | None
    learning_rate: float | None
    network: str | None
    note: str


class EpochLoss(BaseModel):
    """One finished epoch; losses are mean binary cross-entropies, accuracies shares of cells."""

    epoch: int
    loss: float | None
    validation_loss: float | None
    accuracy: float | None = Field(None, description="Of the cells learnt from, as changed for training.")
    validation_accuracy: float | None = None


class TaskBrief(BaseModel):
    """Where a job stands."""

    model_config = {"json_schema_extra": {"example": EXAMPLE}}

    task_id: str
    name: str = Field(description="Name of the upload.")
    state: JobState = Field(description="`succeeded`: the run came to a verdict, which may be `rejected`.")
    step: str | None = Field(None, description="What the run is doing.")
    percent: float | None = Field(None, description="0 to 100, of the whole job.")
    epoch: int | None = None
    epochs: int | None = None
    eta_seconds: float | None = Field(None, description="An estimate.")
    verdict: Verdict | None = None
    reason: str = Field("", description="Why it ended so, or why it waits.")
    code: str = Field("", description="Of the reason, stable; empty where it has none, as for a verdict.")
    version: str | None = Field(None, description="The challenger made; null where nothing was learnt.")
    actor: str = ""
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    links: dict[str, str] = Field(
        description="Paths: `self`; `cancel` while it has not ended; `model`; `receipt`."
    )


class Task(TaskBrief):
    """A job with all that is known of it."""

    model_config = {
        "json_schema_extra": {
            "example": {
                **EXAMPLE,
                "message": "batch 3 of 9",
                "options": {
                    "method": "full",
                    "epochs": 5,
                    "batch_size": 32,
                    "learning_rate": 0.0005,
                    "network": "mobilenet_v2",
                    "note": "new stain",
                },
                "losses": [
                    {
                        "epoch": 1,
                        "loss": 0.31,
                        "validation_loss": 0.35,
                        "accuracy": 0.91,
                        "validation_accuracy": 0.9,
                    }
                ],
                "reasons": [],
                "ingest": {"accepted": {"Parasitized": 210, "Uninfected": 290}},
                "receipt": {},
                "attempt": 1,
                "cancel_requested": False,
            }
        }
    }

    message: str = ""
    options: Options
    losses: list[EpochLoss] = Field(description="One entry for each finished epoch.")
    reasons: list[str] = Field(description="What each rule of the gate found.")
    ingest: dict[str, Any] = Field(description="What was accepted, and what was not and why.")
    receipt: dict[str, Any] = Field(
        description="The gate's figures: champion and challenger on the same cells."
    )
    champion: str | None = Field(None, description="The version that was served when the run compared.")
    dataset: str | None = Field(None, description="SHA-256 of the accepted content.")
    attempt: int = Field(description="How often a process was started for it.")
    leader: str | None = Field(None, description="The job whose run took this one in.")
    cancel_requested: bool


class Rule(BaseModel):
    """One rule of the gate."""

    name: str
    value: float | None = Field(description="What was seen: a figure, or challenger minus champion.")
    low: float | None = Field(description="Its one-sided 95% bounds.")
    high: float | None
    bound: float = Field(description="What it is held against.")
    passed: bool | None = Field(description="null where it cannot be decided.")
    text: str


class AdvisedPiece(BaseModel):
    """One piece of advice."""

    code: str = Field(description="Stable.")
    text: str
    numbers: dict[str, int] = Field({}, description="Those that stand in it.")
    rule: str = Field("", description="The name of the rule that it is about, where it names one.")


class Receipt(BaseModel):
    """What the gate said of a job, and why."""

    model_config = {
        "json_schema_extra": {
            "example": {
                "verdict": "rejected",
                "reason": "Rejected. Base sensitivity -3.0 points: it may fall by 1.2.",
                "criteria": [
                    {
                        "name": "base sensitivity",
                        "value": -0.03,
                        "low": -0.045,
                        "high": -0.018,
                        "bound": -0.012,
                        "passed": False,
                        "text": "Base sensitivity -3.0 points: it may fall by 1.2.",
                    }
                ],
                "changed": {"base": {"cells": 2918, "gained": 2, "lost": 40}},
                "advice": "Learning from this upload costs too much on other patients.",
                "too_small": False,
                "look": 3,
                "fresh_due": False,
            }
        }
    }

    verdict: Verdict
    reason: str
    criteria: list[Rule]
    base: dict[str, Any] | None = Field(None, description="Figures of both models on base gate patients.")
    site: dict[str, Any] | None = Field(None, description="The same on the site's own gate cells.")
    changed: dict[str, dict[str, int]] = Field(description="How many cells changed hands.")
    moved: dict[str, list[dict[str, Any]]] = Field({}, description="Which ones, as far as they are told.")
    doubted: list[dict[str, Any]] = Field(
        [], description="Cells of the upload whose labels the champion is sure are wrong, as far as told."
    )
    first: str = Field(
        "", description="The first release it was held against too; empty: the champion is that."
    )
    advice: str = Field("", description="What would help.")
    advised: list[AdvisedPiece] = Field([], description="The pieces that the advice is made of.")
    pooled: list[str] = Field([], description="Jobs of earlier uploads that were judged together with it.")
    review: dict[str, Any] = Field(
        {}, description="Shares that either model sends to a person, and leaves wrong among the others."
    )
    set_aside: list[str] = Field(
        [], description="Jobs of earlier uploads with which it would not stand; they wait no longer."
    )
    bounds: dict[str, float | bool] = Field({}, description="The settings of the gate that it met.")
    too_small: bool = Field(False, description="Counts together with the next upload.")
    look: int = Field(0, description="How often the base gate patients have been looked at.")
    fresh_due: bool = Field(False, description="That was too often: fresh gate patients are due.")


class TaskList(BaseModel):
    model_config = {"json_schema_extra": {"example": {"tasks": [EXAMPLE]}}}

    tasks: list[TaskBrief] = Field(description="Newest first.")


class Accepted(BaseModel):
    """The upload is kept and the job is queued."""

    model_config = {
        "json_schema_extra": {
            "example": {
                "task_id": "9f2c4e1ab07d3356",
                "state": "queued",
                "options": {
                    "method": "full",
                    "epochs": 5,
                    "batch_size": 32,
                    "learning_rate": 0.0005,
                    "network": "mobilenet_v2",
                    "note": "new stain",
                },
                "links": {
                    "self": "/retrain/status/9f2c4e1ab07d3356",
                    "cancel": "/retrain/tasks/9f2c4e1ab07d3356",
                },
            }
        }
    }

    task_id: str
    state: JobState
    options: Options
    links: dict[str, str]


def accepted(job: Job) -> Accepted:
    return Accepted(task_id=job.id, state=job.state, options=options_of(job), links=links(job))


def options_of(job: Job) -> Options:
    given = job.options
    return Options(
        method=given.method,
        epochs=given.epochs,
        batch_size=given.batch_size,
        learning_rate=given.learning_rate,
        network=given.network,
        note=given.note,
    )


def links(job: Job) -> dict[str, str]:
    found = {"self": f"/retrain/status/{job.id}"}
    if not job.state.terminal:
        found["cancel"] = f"/retrain/tasks/{job.id}"
    if job.version:
        found["model"] = f"/models/{job.version}"
    if job.verdict:
        found["receipt"] = f"/retrain/status/{job.id}/receipt"
    return found


def brief(job: Job) -> TaskBrief:
    return TaskBrief(**_brief(job))


def task(job: Job) -> Task:
    return Task(
        **_brief(job),
        message=job.progress.message if job.progress else "",
        options=options_of(job),
        losses=[
            EpochLoss(
                epoch=done.epoch or 0,
                loss=done.loss,
                validation_loss=done.validation_loss,
                accuracy=done.accuracy,
                validation_accuracy=done.validation_accuracy,
            )
            for done in job.epochs
        ],
        reasons=_reasons(job.receipt),
        ingest=dict(job.report),
        receipt=dict(job.receipt),
        champion=job.champion,
        dataset=job.dataset,
        attempt=job.attempt,
        leader=job.leader,
        cancel_requested=job.cancel_requested,
    )


def _brief(job: Job) -> dict[str, Any]:
    at = job.progress
    running = job.state == JobState.RUNNING
    return {
        "task_id": job.id,
        "name": job.name,
        "state": job.state,
        "step": at.step if at else None,
        "percent": at.percent if at else None,
        "epoch": at.epoch if at else None,
        "epochs": at.epochs if at else None,
        "eta_seconds": at.eta if at and running else None,
        "verdict": job.verdict,
        "reason": job.reason,
        "code": job.code,
        "version": job.version,
        "actor": job.actor,
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "links": links(job),
    }


def _reasons(receipt: Mapping[str, Any]) -> list[str]:
    return [str(rule["text"]) for rule in receipt.get("criteria", ()) if rule.get("text")]
