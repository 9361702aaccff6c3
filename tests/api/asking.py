"""What the API's tests ask, and what every problem must hold."""

from typing import Any

import httpx

PROBLEM = "application/problem+json"


def predict(http: httpx.Client, picture: bytes, name: str = "cell.png", **more: Any) -> httpx.Response:
    return http.post("/predict", files={"file": (name, picture, "image/png")}, **more)


def good(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in an answer, after checking its shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["code"] == code, told
    assert told["type"] == f"urn:malaria:problem:{code}"
    assert told["title"]
    assert told["detail"]
    assert told["instance"].startswith("/")
    assert told["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return told
