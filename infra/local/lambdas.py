"""The part of Lambda that a function's process talks to, so that the real client runs the real handler.

A function is a queue of calls. ministack posts a call to /2015-03-31/functions/function/invocations and waits
for its answer; processes of `awslambdaric` ask for the next call and give answers and errors back, as they do
in Lambda (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
"""

import collections
import http.server
import json
import queue
import select
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from infra.local import processes

ENTRY_POINT = ("-m", "awslambdaric")
"""As in functions/api/Dockerfile."""
_NEXT = "/2018-06-01/runtime/invocation/next"
_ANSWERS = "/2018-06-01/runtime/invocation/"
_INIT_ERROR = "/2018-06-01/runtime/init/error"
_CALLS = "/2015-03-31/functions/function/invocations"
_PATIENCE = 120.0
"""Seconds for which a call waits for its answer when the function's own timeout is longer or unknown."""
_LOOK = 0.1
_FAILED = 502
"""By which ministack knows that a function has failed."""


@dataclass
class _Call:
    body: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    done: threading.Event = field(default_factory=threading.Event)
    answer: bytes = b""
    failed: bool = False

    def end(self, answer: bytes, *, failed: bool) -> None:
        self.answer, self.failed = answer, failed
        self.done.set()


@dataclass(frozen=True)
class Served:
    """What became of a call. status: of the HTTP answer, 0 where there is none; 500 is what the gateway makes
    of a function that failed."""

    seconds: float
    failed: bool
    status: int


class Function:
    """One function: a server for its calls, and the processes that serve them.

    handler: 'functions.api.handler.handler'. root: folder from which it is imported. port: of the server; 0:
    any. seconds: after which a call is given up.
    """

    def __init__(
        self, name: str, handler: str, root: Path, logs: Path, *, port: int = 0, seconds: float = _PATIENCE
    ) -> None:
        self.name, self._handler, self._root, self._seconds = name, handler, root, seconds
        self._log_path = logs / f"{name}.log"
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._open: dict[str, _Call] = {}
        self._served: collections.deque[Served] = collections.deque(maxlen=10_000)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment: dict[str, str] = {}
        self._launch: processes.Launch | None = None
        self._log: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", port), type("Handling", (_Handling,), {"function": self})
        )
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name=f"lambda-{name}", daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        """Where ministack posts calls."""
        return f"http://127.0.0.1:{self.port}{_CALLS}"

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.name}"

    def start(
        self, environment: Mapping[str, str], instances: int = 1, launch: processes.Launch | None = None
    ) -> None:
        """Start processes that serve calls; those that came before have waited. launch: how; else as
        processes of this Python."""
        self._log = self._log_path.open("ab")
        self._launch = launch or processes.here(ENTRY_POINT, self._root, self._root)
        self._environment = {
            **processes.AWS,
            **environment,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.port}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        }
        self._processes = [self._process() for _ in range(instances)]

    def _process(self) -> "subprocess.Popen[bytes]":
        assert self._launch is not None and self._log is not None, "it was started"
        return self._launch([self._handler], self._environment, self._log)

    def renew(self) -> None:
        """End the processes: the next call finds new ones, which know nothing of what came before."""
        for process in self._processes:
            processes.tell(process, signal.SIGKILL)
            process.wait()

    def _revive(self) -> None:
        """Start anew what has ended, as Lambda does for the next call."""
        with self._lock:
            for i, process in enumerate(self._processes):
                if process.poll() is not None:
                    self._processes[i] = self._process()

    def stop(self) -> None:
        """End the processes, and answer what waits with an error."""
        with self._lock:
            ended, self._processes = self._processes, []
        for process in ended:
            # One that waits for a call in native code does not hear anything else.
            processes.tell(process, signal.SIGKILL)
            process.wait()
        self._server.shutdown()
        self._server.server_close()
        for call in list(self._open.values()):
            call.end(_error("Stopped", f"The function {self.name} was stopped."), failed=True)
        if self._log is not None:
            self._log.close()

    def call(self, body: bytes) -> _Call:
        """Have a call served, and wait for it."""
        self._revive()
        call, begun = _Call(body), time.monotonic()
        self._open[call.id] = call
        self._calls.put(call)
        if not call.done.wait(self._seconds):
            call.end(_error("Timeout", f"{self.name} gave no answer in {self._seconds:g} s"), failed=True)
        self._open.pop(call.id, None)
        seconds, status = time.monotonic() - begun, 500 if call.failed else _status(call.answer)
        self._served.append(Served(seconds, call.failed, status))
        return call

    def served(self) -> list[Served]:
        """What was served since this was last asked."""
        return [self._served.popleft() for _ in range(len(self._served))]

    def next(self, lives: Callable[[], bool]) -> _Call | None:
        """The next call that still waits; None once the process that asks for it is gone. lives: whether it
        is there."""
        while lives():
            try:
                call = self._calls.get(timeout=_LOOK)
            except queue.Empty:
                continue
            if call.done.is_set():
                continue
            if lives():
                return call
            self._calls.put(call)
        return None

    def told_of(self, call: _Call) -> dict[str, str]:
        """What a process is told of a call beside its body. The deadline is in ms since 1970."""
        return {
            "Lambda-Runtime-Aws-Request-Id": call.id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self._seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.arn,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
        }

    def answered(self, call_id: str, answer: bytes, *, failed: bool) -> None:
        call = self._open.get(call_id)
        if call is not None:
            call.end(answer, failed=failed)

    def broken(self, error: bytes) -> None:
        """The process could not even start: whoever waits need not wait longer."""
        for call in list(self._open.values()):
            call.end(error, failed=True)


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _status(answer: bytes) -> int:
    with suppress(ValueError, AttributeError):
        return int(json.loads(answer).get("statusCode", 0))
    return 0


class _Handling(http.server.BaseHTTPRequestHandler):
    """What ministack and the processes ask of one function."""

    function: Function
    protocol_version = "HTTP/1.1"  # the runtime client's native half reads nothing older

    def do_GET(self) -> None:
        if self.path != _NEXT:
            self._answer(404, b"{}")
            return
        call = self.function.next(lambda: _is_open(self.connection))
        if call is None:
            self.close_connection = True
        else:
            self._answer(200, call.body, self.function.told_of(call))

    def do_POST(self) -> None:
        body = _body(self)
        if self.path == _CALLS:
            call = self.function.call(body)
            with suppress(BrokenPipeError):  # whoever asked has not waited
                self._answer(_FAILED if call.failed else 200, call.answer)
        elif self.path == _INIT_ERROR:
            self.function.broken(body)
            self._answer(202, b"{}")
        elif self.path.startswith(_ANSWERS):
            call_id, _, what = self.path.removeprefix(_ANSWERS).partition("/")
            self.function.answered(call_id, body, failed=what != "response")
            self._answer(202, b"{}")
        else:
            self._answer(404, b"{}")

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def _is_open(connection: socket.socket) -> bool:
    """Whether who is at the other end is still there: an end that was closed reads as empty."""
    readable, _, _ = select.select([connection], [], [], 0)
    with suppress(ConnectionError):
        return not readable or connection.recv(1, socket.MSG_PEEK) != b""
    return False


def _body(request: http.server.BaseHTTPRequestHandler) -> bytes:
    """The body of a request, which the runtime client may send in chunks."""
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length", "0")))
    parts = []
    while size := int(request.rfile.readline().split(b";")[0], 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)
