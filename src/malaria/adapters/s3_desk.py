"""Uploads handed in at a bucket, by a form that was signed here: they never pass through the API."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from malaria.domain import UploadForm

ZIP = "application/zip"


class S3Desk:
    """An UploadDesk over a bucket.

    Forms and not presigned PUTs: a form bounds the size of the file, and fixes its key. client, bucket: give
    a boto3 client of S3 and the bucket's name, asked at the first form. prefix: put before every key, such as
    "incoming/".
    """

    def __init__(
        self, client: Callable[[], Any], bucket: Callable[[], str], prefix: str, max_bytes: int
    ) -> None:
        self._client, self._bucket, self._prefix, self._max_bytes = client, bucket, prefix, max_bytes

    def form(self, key: str, until: datetime) -> UploadForm:
        left = int((until - datetime.now(UTC)).total_seconds())
        signed = self._client().generate_presigned_post(
            self._bucket(),
            self._prefix + key,
            Fields={"Content-Type": ZIP},
            Conditions=[["content-length-range", 1, self._max_bytes], {"Content-Type": ZIP}],
            ExpiresIn=max(1, left),
        )
        return UploadForm(signed["url"], signed["fields"], self._max_bytes)
