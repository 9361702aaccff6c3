"""`malaria serve`: the HTTP API, and beside it what watches the inbox and launches trainings."""

import contextlib
import logging
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.common import State, actor, state
from malaria.errors import Busy, MissingPart, how_to_add

if TYPE_CHECKING:
    from malaria.services import Services

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one. Default: 8000.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="mobilenet_v2, compact_cnn or ensemble: serve what was last served of it here, else the one "
            "that ships. Default: what was promoted last, whatever its network."
        ),
    ] = None,
    home: Annotated[Path | None, typer.Option(help="As --home before the command.", file_okay=False)] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Start anew when the code changes.")] = False,
    supervisor: Annotated[
        bool,
        typer.Option(
            "--supervisor/--no-supervisor",
            help="Watch the inbox and launch trainings; else they wait for a server that does.",
        ),
    ] = True,
) -> None:
    """Serve predictions and retraining over HTTP until Ctrl-C.

    Examples:

        malaria serve --port 8080

        malaria serve --network compact_cnn
    """
    _need_server()
    base = state(ctx)
    base.need_local("A deployment serves by itself: its stack's output Url says where.")
    chosen = State(home or base.home, base.debug)
    settings = chosen.settings(host=host, port=port, network=network)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with bound(settings.host, settings.port) as listening:
        if settings.host not in LOOPBACK and settings.host not in settings.allowed_hosts:
            output.note(
                "Only requests for these hosts are answered: " + ", ".join(settings.allowed_hosts) + ". "
                "Set MALARIA_ALLOWED_HOSTS to change that."
            )
        if settings.network is not None:
            _choose(chosen.services(network=settings.network), settings.network)
        if reload:
            _serve_reloading(chosen, listening, supervisor)
        else:
            _serve(chosen.services(host=host, port=port, network=network), listening, supervisor)


def _need_server() -> None:
    try:
        import uvicorn  # noqa: F401
    except ImportError:
        raise MissingPart(f"`serve` needs the serving part: {how_to_add('serve', 'adapt')}.") from None


def _choose(services: "Services", network: str) -> None:
    """Serve this network, and say so where that changes what is served."""
    from malaria import shipped

    entry = shipped.choose_network(
        services.registry, shipped.folder(services.settings.shipped), network, actor(None)
    )
    if entry is not None:
        output.note(f"Entry {entry.number} of the log: {entry.version} ({network}) is served from now on.")


@contextlib.contextmanager
def bound(host: str, port: int) -> Any:
    """A listening socket. Raises Busy where the address is taken or is not of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            raise Busy(
                f"Cannot listen on {host}:{port} ({error.strerror or error}). "
                "Choose another port with --port."
            ) from None
        listening.set_inheritable(True)
        yield listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _serve(services: "Services", listening: socket.socket, supervised: bool) -> None:
    import uvicorn

    from malaria.api.app import create_app

    app = create_app(services if supervised else waiting(services))
    info = services.served.model.info  # loaded before the first request, and a broken one is told now
    output.note(
        f"Serving model {info.version} ({info.network}) on {_url(listening)} (docs at /docs). Ctrl-C ends it."
    )
    if supervised:
        output.note(f"Drop ZIPs of labelled cells into {services.home / 'inbox'} to retrain.")
    server = uvicorn.Server(uvicorn.Config(app, log_level="info", access_log=False))
    # Ctrl-C is how a server is meant to end: no error
    with (
        _pulse(services, app),
        _supervisor(services) if supervised else contextlib.nullcontext(),
        contextlib.suppress(KeyboardInterrupt),
    ):
        server.run(sockets=[listening])


def waiting(services: "Services") -> "Services":
    """These, with jobs left to wait for another process that launches them."""
    return services if services.elsewhere else replace(services, elsewhere=lambda: None)


def _supervisor(services: "Services") -> Any:
    from malaria import wiring
    from malaria.supervisor import Supervisor

    return Supervisor(services, wiring.inbox(services))


def _pulse(services: "Services", app: Any) -> Any:
    """What writes figures down, where it is here that they are kept."""
    from malaria.pulse import Pulse

    return (
        Pulse(services.recorder, app.state.malaria.vitals) if services.recorder else contextlib.nullcontext()
    )


def _serve_reloading(chosen: State, listening: socket.socket, supervised: bool) -> None:
    """At each change Uvicorn starts a fresh process, which builds everything from the environment."""
    import uvicorn
    from uvicorn.supervisors import ChangeReload

    if chosen.home is not None:
        os.environ["MALARIA_HOME"] = str(chosen.home)
    factory = "malaria.cli.serve:supervised_app" if supervised else "malaria.cli.serve:bare_app"
    config = uvicorn.Config(factory, factory=True, reload=True, reload_dirs=[str(Path(__file__).parents[2])])
    output.note(f"Serving on {_url(listening)}, starting anew at each change of the code. Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listening]).run()


def bare_app() -> Any:
    """The app for the reloader: its process ends with the threads in it."""
    return _pulsing(waiting(State().services()))


def supervised_app() -> Any:
    """As `bare_app`, with the supervisor."""
    services = State().services()
    _supervisor(services).__enter__()
    return _pulsing(services)


def _pulsing(services: "Services") -> Any:
    from malaria.api.app import create_app

    app = create_app(services)
    _pulse(services, app).__enter__()
    return app
