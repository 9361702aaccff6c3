"""Examples of answers, as the description of the interface shows them."""

from typing import Any

from malaria import explain

_DIGEST = "05ce91907778bc6c2d77d5a029edfe6a725eb583e9ab6bcc961afa0fe02eeca7"
_FIGURES = {"cells": 2918, "patients": 20, "accuracy": 0.975, "sensitivity": 0.974, "specificity": 0.977}

PREDICTION_ID = (
    ".eJwdjDkOwjAURO8ytUF_idcz0EAFpUnsBoIigtIg7s6Hbmbe6L2xobDDjAIhCczid-THljkTHBYU2uekDq9f8g7r__9E6fW-"
    "NodqPYaoojQY7ibKXesosXme0jXQYJ6HzZdJtxMv6XaU-"
    "RzrAZ8vPCcexg.ZhnZ5a66mCi6_C2tXA0n4i-Tn8bhtDh0G3cI9Qv3upA"
)
OTHER_PREDICTION_ID = (
    ".eJwVjEsKAjEQRO9S61a6853kBIJb0XUmJisddCIiine3XVVRj3ofPJGFcEWGYRNEjN-wry1JYhBuyLxlToTHv3nC0CSsyL1cRiM"
    "U_ccQrbHsFHcVSZ1cS2fDJfZgZ6-"
    "eRed5Otz9cnrz8bWvbjfw_QE4bB8A.IR4bSAanx1ccLuc1njkpg4rMvvnZ6qokMg8mFUSYObU"
)
"""Signed, but by no server's key."""

EXPLANATION: dict[str, Any] = {
    "grid": [[-1.204, 2.517], [0.31, 14.602]],
    "box": {"left": 0.0, "top": 0.0141, "right": 2.0, "bottom": 1.9718},
    "at": {"x": 106, "y": 104, "logit": 14.602},
    "overlay": "data:image/png;base64,iVBORw0KGgo...",
    "scale": {
        "clear": 0.0,
        "full": explain.FULL,
        "opacity": explain.OPAQUE,
        "colours": list(explain.COLOURS),
    },
}
PROMOTION: dict[str, Any] = {
    "number": 2,
    "version": "20261125-05ce9190",
    "digest": _DIGEST,
    "verdict": "rollback",
    "actor": "ada",
    "reason": "misses rings",
    "at": "2026-11-25T19:15:00Z",
}
MODEL: dict[str, Any] = {
    "version": "20261125-05ce9190",
    "digest": _DIGEST,
    "network": "mobilenet_v2",
    "input_size": 128,
    "created": "2026-11-25T18:02:13Z",
    "size_bytes": 9831936,
    "threshold": 0.5,
    "review": {"low": 0.072594, "high": 0.927406, "sent": 0.0765, "wrong": 0.0124},
    "screen": {
        "refuse": 0.0921,
        "review": 0.555,
        "network": "6f45715f6be6ebe56d576f7c6d39bcb71564a933a2cee9aa1da6926661f45037",
        "refused": 0.0012,
        "reviewed": 0.0496,
        "hundredth": 0.266,
    },
    "labels": ["Uninfected", "Parasitized"],
    "metrics": {"gate": _FIGURES},
    "lineage": {"method": "train"},
    "served": True,
    "promoted": ["2026-11-25T19:15:00Z"],
}
SERVED: dict[str, Any] = {**MODEL, "promotion": PROMOTION}
MODELS: dict[str, Any] = {"served": MODEL["version"], "models": [MODEL], "promotions": [PROMOTION]}
CHANGED: dict[str, Any] = {"promotion": PROMOTION, "served": MODEL["version"]}
CARD: dict[str, Any] = {
    **{name: MODEL[name] for name in ("version", "digest", "network")},
    "title": "Model card: mobilenet_v2, version 20261125-05ce9190",
    "sections": [
        {
            "name": "operating_point",
            "title": "Operating point",
            "measured": True,
            "text": "A cell is called parasitized from a calibrated probability of 0.5 on.",
            "values": {"threshold": 0.5},
        }
    ],
}
CURVES: dict[str, Any] = {
    "version": MODEL["version"],
    "sets": {
        "gate": {
            "cells": 2918,
            "threshold": 0.5,
            "roc": [
                {"threshold": None, "sensitivity": 0.0, "false_positive_rate": 0.0},
                {"threshold": 0.5, "sensitivity": 0.974, "false_positive_rate": 0.023},
                {"threshold": 0.0001, "sensitivity": 1.0, "false_positive_rate": 1.0},
            ],
            "reliability": [{"low": 0.9, "high": 1.0, "cells": 1490, "said": 0.985, "seen": 0.991}],
            "patients": [{"parasitized": 83, "found": 81, "uninfected": 68, "called": 1}],
        }
    },
}
CARD_TEXT = (
    "# Model card: mobilenet_v2, version 20261125-05ce9190\n\n## Limits\n\n- At the specificity of 0.977 "
    "seen on gate patients, a clean smear of 5,000 cells shows about 117 parasites that are not there.\n"
)
HEALTH: dict[str, Any] = {
    "status": "ok",
    "model_loaded": True,
    "model_version": MODEL["version"],
    "uptime_seconds": 86400.5,
    "total_predictions": 1250,
    "counts_since": "process",
}
STATUS: dict[str, Any] = {
    **HEALTH,
    "software_version": "0.1.0",
    "time": "2026-11-26T08:15:00Z",
    "predictions": {"Parasitized": 210, "Uninfected": 1040, "failed": 3},
    "promotion": PROMOTION,
    "training": {"running": [], "queued": 0},
    "confirmed": {"keep_days": 30, "pool": 41, "retrain_at": 200, "retrain_drift": 3.0},
    "needs": {
        "learnt_each": 5,
        "judged_cells": 20,
        "judged_each": 5,
        "judged_groups": 2,
        "judged_share": 0.2,
    },
    "access": {"mode": "keys", "scopes": ["read", "predict"]},
}


FEEDBACK: dict[str, Any] = {
    "prediction_id": PREDICTION_ID,
    "label": "Parasitized",
    "by": "ada",
    "site": "Kisumu",
    "patient": "k-0217",
}
RECORDED: dict[str, Any] = {
    "label": "Parasitized",
    "by": "ada",
    "site": "Kisumu",
    "patient": "k-0217",
    "at": "2026-01-02T09:30:00Z",
    "said": {
        "prediction": "Parasitized",
        "probability": 0.983,
        "threshold": 0.5,
        "model_version": "20261125-05ce9190",
        "timestamp": "2026-01-02T03:04:05Z",
    },
    "model_was_right": True,
}
_AGREED: dict[str, Any] = {
    "cells": 160,
    "parasitized": 60,
    "uninfected": 100,
    "sensitivity": {"value": 0.95, "low": 0.89, "high": 0.99},
    "specificity": {"value": 0.97, "low": 0.93, "high": 1.0},
    "accuracy": {"value": 0.9625, "low": 0.93, "high": 0.985},
    "brier": {"value": 0.031, "low": 0.018, "high": 0.049},
    "ece": {"value": 0.022, "low": 0.016, "high": 0.047},
    "too_few": None,
}
_NOT_TOLD = {"value": None}
_CONFIRMED: dict[str, Any] = {
    **_AGREED,
    "name": None,
    "patients": 12,
    "unanswered": {"Parasitized": 0, "Uninfected": 2},
    "sent_to_review": {"value": 0.25, "low": 0.19, "high": 0.32},
    "not_sent": {
        **_AGREED,
        "cells": 120,
        "parasitized": 45,
        "uninfected": 75,
        "accuracy": {"value": 0.983, "low": 0.958, "high": 1.0},
    },
}
_TOO_FEW: dict[str, Any] = {
    **dict.fromkeys(("sensitivity", "specificity", "accuracy", "brier", "ece"), _NOT_TOLD),
    "cells": 9,
    "parasitized": 4,
    "uninfected": 5,
    "too_few": "Too few: 4 parasitized and 5 uninfected cells are confirmed; a rate is told from 20 on.",
}
_FEW = {
    **_CONFIRMED,
    **_TOO_FEW,
    "name": "2026-W02",
    "patients": 2,
    "sent_to_review": _NOT_TOLD,
    "not_sent": _TOO_FEW,
}
QUALITY: dict[str, Any] = {
    "overall": _CONFIRMED,
    "by_version": [{**_CONFIRMED, "name": MODEL["version"]}],
    "by_site": [{**_CONFIRMED, "name": "Kisumu"}],
    "by_week": [{**_CONFIRMED, "name": "2026-W01"}, _FEW],
    "by_probability": [
        {
            "low": 0.9,
            "high": 1.0,
            "cells": 57,
            "mean": 0.97,
            "share": {"value": 0.965, "low": 0.9, "high": 1.0},
        }
    ],
    "disputed": 1,
    "note": "These are the cells that people confirmed, seldom a random sample: ...",
}


_SPREAD = {"p50": 0.981, "p90": 0.997, "p95": 0.998, "p99": 0.999}
_WATCHED: dict[str, Any] = {
    "up": 1.0,
    "requests": 1240,
    "client_errors": 3,
    "server_errors": 0,
    "latency_ms": {"p50": 18.2, "p90": 31.0, "p95": 44.7, "p99": 120.5},
    "pictures": 1150,
    "parasitized": 212,
    "uninfected": 931,
    "not_a_cell": 7,
    "review": 64,
    "low_confidence": 51,
    "confidence": _SPREAD,
    "predict_ms": {"p50": 11.0, "p90": 15.2, "p95": 19.9, "p99": 48.0},
    "feature_distance": {"p50": 0.48, "p90": 0.81, "p95": 0.97, "p99": 1.3},
    "image_deviation": {"p50": 0.7, "p90": 1.6, "p95": 1.9, "p99": 2.8},
    "memory_mb": 248.3,
    "cpu_cores": 0.04,
    "uploads": 1,
    "jobs_succeeded": 1,
    "jobs_failed": 0,
}
SUMMARY: dict[str, Any] = {
    "window": "24h",
    "start": "2026-01-11T10:15:00Z",
    "end": "2026-01-12T10:15:00Z",
    "step_seconds": 900,
    "time": "2026-01-12T10:02:51Z",
    "total": _WATCHED,
    "requests_per_minute": 0.87,
    "job_seconds": 64.0,
    "served": [{"version": MODEL["version"], "since": "2026-01-05T08:00:00Z", "until": None}],
    "steps": [{"at": "2026-01-12T10:00:00Z", **_WATCHED}],
}


def shown(example: dict[str, Any]) -> dict[str, Any]:
    """An example as a model's schema takes it."""
    return {"example": example}
