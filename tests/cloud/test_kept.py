"""The local AWS that a person runs: stopped and started again, it goes on where it was."""

from pathlib import Path

import pytest

from infra.local.cloud import Cloud
from infra.local.ministack import Ministack, Unusable
from tests.cloud.conftest import deployed

pytestmark = pytest.mark.cloud


def test_what_it_holds_is_kept_from_run_to_run(tmp_path: Path) -> None:
    aws = Ministack(tmp_path / "aws", keep=True)
    with Cloud(tmp_path, aws=aws) as cloud:
        first, key = cloud.outputs, cloud.key_for("tests")
        for stack in deployed(cloud):
            (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
            stack.put(tmp_path / "broken.zip", "broken.zip")
            job = stack.ended("broken.zip", 60)
        with pytest.raises(Unusable, match="is taken"):
            Ministack(tmp_path / "other", port=aws.port).__enter__()
    with Cloud(tmp_path, aws=Ministack(tmp_path / "aws", port=aws.port, keep=True)) as cloud:
        assert cloud.outputs == first
        for stack in deployed(cloud):
            tasks = stack.http.get("/retrain/tasks", headers={"Authorization": f"Bearer {key}"})
            assert tasks.status_code in (200, 401)  # keys of the test's own took the place of that one
            told = stack.http.get("/retrain/tasks").raise_for_status().json()["tasks"]
            assert [task["task_id"] for task in told] == [job["task_id"]]
