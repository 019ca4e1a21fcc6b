"""Events of a KV cache, where subscribers look for them.

vLLM opens a port and waits for the endpoint picker to subscribe; the simulator connects to a collector instead. The
relay between the two is a ZeroMQ proxy: who subscribes and what is published passes through unchanged.
"""

import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

COLLECTED_AT = "tcp://127.0.0.1:5557"
"""Where the simulator brings its events."""


def run_behind_relay(command: Sequence[str], env: Mapping[str, str], endpoint: str) -> int:
    """Run a program that brings its events to `COLLECTED_AT`, and publish them at an endpoint of vLLM's form.

    Args:
        command: The program.
        env: Its environment.
        endpoint: Such as `tcp://*:5556`.

    Returns:
        The program's exit status, negative for a signal.
    """
    import zmq  # noqa: PLC0415  # most simulated replicas publish nothing and start without it

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    collector, publisher = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
    collector.bind(COLLECTED_AT)
    publisher.bind(endpoint)
    threading.Thread(target=zmq.proxy, args=(collector, publisher), daemon=True).start()
    with subprocess.Popen(command, env=dict(env)) as program:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda number, _: program.send_signal(number))
        return program.wait()
