"""A local stand-in of AWS: moto's server, in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WsgiAnswer = list[bytes]


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of a WSGI application, served as long as the block runs."""
    from werkzeug.serving import make_server

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
    moment both could win."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    app, alone = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def one_at_a_time(environ: dict[str, Any], start_response: Any) -> WsgiAnswer:
        with alone:
            return list(app(environ, start_response))

    return one_at_a_time
