"""Runs the tasks of an ECS cluster as processes: ministack says that a task runs, and something must run it.

The entry point of the image is run with the environment and command of the task's definition and overrides,
under the credentials of the task's role; when it ends the task is stopped, and the other way round. Either
way the end is told as an event, as ECS does.
"""

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from infra.local import processes
from infra.local.bus import Bus
from infra.local.rounds import Rounds

ENTRY_POINT = ("-m", "training_job")
"""As in training_job/Dockerfile."""
_GRACE = 30.0


class TaskRunner:
    """Runs what the cluster is asked to run; a context manager starts and ends it.

    ecs: a boto3 client. bus: hears of ends. credentials: gives the environment variables of a role, by its
    ARN. logs: folder of a file for each task. images: whoever has the images of the tasks; else they are
    processes of this Python.
    """

    def __init__(
        self,
        ecs: Any,
        bus: Bus,
        cluster: str,
        root: Path,
        logs: Path,
        credentials: Callable[[str], Mapping[str, str]],
        images: processes.Images | None = None,
    ) -> None:
        self._ecs, self._bus, self._cluster, self._root, self._logs = ecs, bus, cluster, root, logs
        self._images = images
        self._credentials = credentials
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.ended: dict[str, int] = {}  # exit codes
        self._seen: set[str] = set()
        self._paused = False
        self._rounds = Rounds("tasks", self._round)

    def __enter__(self) -> "TaskRunner":
        self._rounds.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._rounds.__exit__()
        for process in self.running.values():
            processes.tell(process, signal.SIGTERM)
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_GRACE)
            processes.tell(process, signal.SIGKILL)
            process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Start nothing for a while; what was to be started meanwhile is stopped in the end."""
        self._paused = True
        try:
            yield
        finally:
            for arn in set(self._asked()) - self._seen:
                self._seen.add(arn)
                self._ecs.stop_task(cluster=self._cluster, task=arn, reason="nothing ran it")
            self._paused = False

    def _asked(self) -> list[str]:
        found: list[str] = self._ecs.list_tasks(cluster=self._cluster, desiredStatus="RUNNING")["taskArns"]
        return found

    def _round(self) -> None:
        arns = self._asked()
        for arn in set(arns) - self._seen if not self._paused else ():
            self._seen.add(arn)
            self._start(arn)
        for arn, process in list(self.running.items()):
            code = process.poll()
            if code is not None:
                del self.running[arn]
                if arn in arns:
                    self._ecs.stop_task(cluster=self._cluster, task=arn, reason=f"exit code {code}")
                self._tell(arn, code)
                self.ended[arn] = code
            elif arn not in arns:
                processes.tell(process, signal.SIGTERM)

    def _tell(self, arn: str, code: int) -> None:
        (cluster,) = self._ecs.describe_clusters(clusters=[self._cluster])["clusters"]
        detail = {
            "taskArn": arn,
            "clusterArn": cluster["clusterArn"],
            "lastStatus": "STOPPED",
            "containers": [{"exitCode": code}],
        }
        self._bus.tell("aws.ecs", "ECS Task State Change", detail)

    def _start(self, arn: str) -> None:
        (task,) = self._ecs.describe_tasks(cluster=self._cluster, tasks=[arn])["tasks"]
        described = self._ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])
        definition = described["taskDefinition"]
        (container,) = definition["containerDefinitions"]
        overrides = task.get("overrides", {}).get("containerOverrides", [])
        own: dict[str, Any] = next((o for o in overrides if o.get("name") == container["name"]), {})
        told = {e["name"]: e["value"] for e in (*container["environment"], *own.get("environment", []))}
        number = arn.rpartition("/")[2]
        environment = {**processes.AWS, **told, **self._credentials(definition["taskRoleArn"])}
        command = own.get("command") or container.get("command") or []
        with (self._logs / f"task-{number}.log").open("ab") as out:
            if self._images:
                launch = self._images(container["image"], container.get("user", ""))
            else:
                home = self._logs / f"task-{number}"
                home.mkdir(parents=True, exist_ok=True)
                environment["MALARIA_HOME"] = str(home)  # a container of its own has a disk of its own
                launch = processes.here(ENTRY_POINT, self._root, home)
            self.running[arn] = launch(command, environment, out)
