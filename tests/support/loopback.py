"""A service on loopback, in a thread of its own: it answers while the test's loop is busy."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

_STOP_S = 10.0


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a port of its own; the URL, without a slash at its end."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_STOP_S)
        listener.close()
        assert not thread.is_alive(), "the service on loopback has not stopped"
