"""A local stand-in of AWS: moto's server, in this process."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WsgiAnswer = list[bytes]


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of a WSGI application, served as long as the block runs."""
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request hides what matters
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def moto() -> Any:
    """moto's server as a WSGI application that works on one request at a time: moto looks whether an object
    exists and then writes it, in two steps, where S3 does both in one, so that of two creators at the same
    moment both could win. Its tasks of ECS stay as they are, where moto's go on with every look at them."""
    from moto.moto_api import state_manager
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**9})
    app, alone = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def one_at_a_time(environ: dict[str, Any], start_response: Any) -> WsgiAnswer:
        with alone:
            return list(app(environ, start_response))

    return one_at_a_time


class Outage:
    """A WSGI application before another: while it lasts, every request is answered with 503."""

    def __init__(self, app: Any) -> None:
        self.lasts, self._app = True, app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> WsgiAnswer:
        if not self.lasts:
            return list(self._app(environ, start_response))
        start_response("503 Service Unavailable", [])
        return [b"<Error><Code>SlowDown</Code></Error>"]
