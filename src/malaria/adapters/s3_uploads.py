"""Uploads in a bucket of S3, by version. boto3, since obstore neither lists versions nor reads one."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from malaria.adapters.aws_clients import Clients, told
from malaria.domain import ObjectVersion
from malaria.errors import NotFound
from malaria.settings_aws import INCOMING

UNVERSIONED = "null"
"""As S3 names the version of an object in a bucket that keeps none."""
_CHUNK = 8 * 2**20
_GONE = ("NoSuchKey", "NoSuchVersion", "NoSuchBucket", "MethodNotAllowed")
"""The last is what is said of a version that only marks a deletion."""


class S3Uploads:
    """bucket: asks for its name. Every method raises Busy where the bucket cannot be reached."""

    def __init__(self, clients: Clients, bucket: Callable[[], str]) -> None:
        self._clients, self._bucket = clients, bucket

    def list(self) -> Iterator[ObjectVersion]:
        """Every version of every object below INCOMING, also of those that were overwritten or deleted."""
        bucket, after = self._bucket(), dict[str, str]()
        while True:
            with told("The bucket of uploads"):
                page = self._clients.of("s3").list_object_versions(Bucket=bucket, Prefix=INCOMING, **after)
            for one in page.get("Versions", ()):
                yield ObjectVersion(
                    bucket, one["Key"], one["VersionId"], int(one["Size"]), one["LastModified"]
                )
            if not page.get("IsTruncated"):
                return
            after = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def newest(self, upload: ObjectVersion) -> ObjectVersion:
        """The version that stands under the key of an upload. Raises NotFound where there is none."""
        from botocore.exceptions import ClientError

        try:
            with told("The bucket of uploads", but=(*_GONE, "404")):
                found = self._clients.of("s3").head_object(Bucket=upload.bucket, Key=upload.key)
        except ClientError as error:
            raise NotFound("The upload is gone from the bucket.") from error
        return replace(
            upload, version=found.get("VersionId") or UNVERSIONED, size=int(found["ContentLength"])
        )

    def fetch(self, upload: ObjectVersion, to: Path) -> None:
        """Stream a version into a file. Raises NotFound where it is gone."""
        from botocore.exceptions import ClientError

        where = {"Bucket": upload.bucket, "Key": upload.key, "VersionId": upload.version}
        try:
            with told("The bucket of uploads", but=_GONE):
                found = self._clients.of("s3").get_object(**where)
                with to.open("wb") as file:
                    shutil.copyfileobj(found["Body"], file, _CHUNK)
        except ClientError as error:
            raise NotFound(f"Upload {upload.key} is gone from the bucket ({upload.version}).") from error
