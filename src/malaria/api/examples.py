"""Examples of answers, as the description of the interface shows them."""

from typing import Any

from malaria import explain

_DIGEST = "05ce91907778bc6c2d77d5a029edfe6a725eb583e9ab6bcc961afa0fe02eeca7"
_FIGURES = {"cells": 2918, "patients": 20, "accuracy": 0.975, "sensitivity": 0.974, "specificity": 0.977}

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
}


def shown(example: dict[str, Any]) -> dict[str, Any]:
    """An example as a model's schema takes it."""
    return {"example": example}
