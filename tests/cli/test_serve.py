import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from malaria.domain import ModelVersion
from tests.unit import zips

Start = Callable[..., "subprocess.Popen[str]"]


def address(process: "subprocess.Popen[str]") -> str:
    """The URL that the server says it serves on."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"on (http://\S+?)[ ,]", line):
            return found.group(1)
    raise AssertionError("".join(said))


@pytest.mark.parametrize("options", [(), ("--no-supervisor",), ("--reload",)])
def test_serve_answers_until_ctrl_c_and_ends_cleanly(start: Start, options: tuple[str, ...]) -> None:
    process = start("serve", "--port", 0, *options)
    try:
        url = address(process)
        transport = httpx.HTTPTransport(retries=7)  # the port is bound; the server may begin a moment later
        with httpx.Client(transport=transport, timeout=30) as client:
            assert client.get(f"{url}/health").status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr


def test_without_a_supervisor_what_is_sent_waits_for_a_server_that_has_one(
    start: Start, tmp_path: Path
) -> None:
    """Not even the request that queued the job starts it."""
    home, archive = tmp_path / "home", zips.pack(tmp_path / "cells.zip", zips.usual())
    process = start("serve", "--port", 0, "--no-supervisor", "--home", home)
    try:
        url = address(process)
        with httpx.Client(transport=httpx.HTTPTransport(retries=7), timeout=60) as client:
            job = client.post(
                f"{url}/retrain", files={"file": ("cells.zip", archive.read_bytes(), "application/zip")}
            )
            told = client.get(f"{url}/retrain/status/{job.json()['task_id']}").json()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert (job.status_code, told["state"], told["attempt"]) == (202, "queued", 0)
    assert list((home / "logs").iterdir()) == []


def test_a_network_is_served_from_when_it_is_asked_for(
    start: Start, two_networks: tuple[Path, ModelVersion], shipped_info: ModelVersion
) -> None:
    models, other = two_networks

    def told(*options: object) -> tuple[dict[str, Any], str]:
        """What a server that was started so says of its model, and what it printed."""
        process = start("serve", "--port", 0, *options, MALARIA_SHIPPED=str(models))
        try:
            url = address(process)
            with httpx.Client(transport=httpx.HTTPTransport(retries=7), timeout=30) as client:
                found: dict[str, Any] = client.get(f"{url}/model/info").raise_for_status().json()
        finally:
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=30)
        return found, stderr

    assert told()[0]["network"] == shipped_info.network
    found, _ = told("--network", other.network)
    assert (found["network"], found["version"], found["promotion"]["number"]) == (
        other.network,
        other.version,
        2,
    )
    assert found["promotion"]["reason"] == f"the network {other.network} was asked for"
    assert told()[0]["network"] == other.network, "without being asked nothing changes"
    assert told("--network", other.network)[0]["promotion"]["number"] == 2


def test_a_network_that_is_not_known_is_told_in_one_line(start: Start) -> None:
    process = start("serve", "--port", 0, "--network", "resnet")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "must be one of mobilenet_v2, compact_cnn, ensemble" in stderr
    assert "Traceback" not in stderr


def test_a_port_in_use_is_told_in_one_line(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("serve", "--port", taken.getsockname()[1])
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Choose another port with --port" in stderr
    assert "Traceback" not in stderr


def test_hosts_that_will_be_refused_are_told(start: Start) -> None:
    process = start("serve", "--host", "0.0.0.0", "--port", 0)
    try:
        assert process.stderr is not None
        assert "MALARIA_ALLOWED_HOSTS" in process.stderr.readline()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
