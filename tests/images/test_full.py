"""The image with TensorFlow: what it is preloaded with, and a training of the whole network in it."""

import json
import zipfile
from pathlib import Path

from malaria import roles, synthetic
from malaria.domain import Role
from tests.cloud.conftest import Deployed
from tests.cloud.test_cli import malaria
from tests.images.buildah import Image
from tests.images.test_training import HOME, NOBODY
from tests.train.test_full import base_zip

ALLOCATOR = """
import ctypes, json
jemalloc = ctypes.CDLL(None)

def asked(name, kind):
    value, size = kind(), ctypes.c_size_t(ctypes.sizeof(kind))
    assert jemalloc.mallctl(name, ctypes.byref(value), ctypes.byref(size), None, 0) == 0, name
    return value.value

print(json.dumps([
    asked(b"opt.narenas", ctypes.c_uint),
    asked(b"opt.dirty_decay_ms", ctypes.c_ssize_t),
    asked(b"opt.muzzy_decay_ms", ctypes.c_ssize_t),
    asked(b"opt.oversize_threshold", ctypes.c_size_t),
    asked(b"opt.thp", ctypes.c_char_p).decode(),
]))
"""


def test_memory_is_kept_from_step_to_step(full: Image) -> None:
    """jemalloc answers itself how it was told to do so; what it does not understand it would say."""
    assert json.loads(full.python(ALLOCATOR)) == [2, 3000, 3000, 0, "always"]


def test_a_task_finds_an_empty_home_that_it_may_write_to(full: Image) -> None:
    """What a smoke import of TensorFlow or matplotlib leaves behind would belong to root."""
    assert full.python(HOME, user=NOBODY) == "/tmp [] True"


def test_a_whole_network_is_trained_as_a_task_of_ecs(
    stack: Deployed, full: Image, models_dir: Path, tmp_path: Path
) -> None:
    known = roles.load(models_dir / "roles.json")
    base = base_zip(tmp_path / "base.zip", known, {Role.TRAIN: 4, Role.VALIDATION: 2, Role.GATE: 4})
    brought = malaria(stack, tmp_path / "home", "data", "import", base)
    assert brought.returncode == 0, brought.stderr

    upload = synthetic.write(tmp_path / "whole.zip", 60, 9)
    with zipfile.ZipFile(upload, "a") as archive:
        archive.writestr("retrain.json", json.dumps({"method": "full", "epochs": 1, "batch_size": 16}))
    stack.put(upload, "whole.zip")
    job = stack.ended("whole.zip", 1800)
    assert job["state"] == "succeeded", job["reason"]
    told = stack.http.get(f"/retrain/status/{job['task_id']}").raise_for_status().json()
    (epoch,) = told["losses"]
    assert epoch["epoch"] == 1 and epoch["loss"] > 0, "only a training of the whole network has losses"
