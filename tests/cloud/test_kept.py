"""The local AWS that a person runs: stopped and started again, it goes on where it was."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local import ministack
from infra.local.cloud import Cloud
from infra.local.ministack import Ministack, Unusable
from tests.cloud.conftest import deployed

pytestmark = pytest.mark.cloud


def test_what_it_holds_is_kept_from_run_to_run(tmp_path: Path) -> None:
    aws = Ministack(tmp_path / "aws", keep=True)
    with Cloud(tmp_path, aws=aws) as cloud:
        first, before = cloud.outputs, ""
        for stack in deployed(cloud):
            (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
            stack.put(tmp_path / "broken.zip", "broken.zip")
            before = str(stack.ended("broken.zip", 60)["task_id"])
        with pytest.raises(Unusable, match="is taken"):
            Ministack(tmp_path / "other", port=aws.port).__enter__()
    with Cloud(tmp_path, aws=Ministack(tmp_path / "aws", port=aws.port, keep=True)) as cloud:
        assert cloud.outputs == first
        for stack in deployed(cloud):
            told = stack.http.get("/retrain/tasks").raise_for_status().json()["tasks"]
            assert [task["task_id"] for task in told] == [before]


def test_two_that_begin_at_once_install_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ministack, "TOOLS", tmp_path)
    with ThreadPoolExecutor() as pool:
        found = {path.result() for path in [pool.submit(ministack.environment) for _ in range(3)]}
    (made,) = found
    assert made.parent == tmp_path
    assert (made / "bin" / "ministack").exists()
