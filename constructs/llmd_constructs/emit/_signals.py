"""Signals that wait until a critical section is over."""

import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType

_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held_signals() -> Generator[Sequence[int]]:
    """Hold SIGINT, SIGTERM and SIGHUP back; each is delivered once, when the block ends.

    Yields:
        The signals that arrived so far. Outside of the main thread nothing is held: Python delivers there.
    """
    pending: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        pending.append(number)

    usual = {number: signal.getsignal(number) for number in _HELD} if _is_main() else {}
    # An ignored signal stays ignored (nohup); None belongs to an embedding program.
    usual = {number: handler for number, handler in usual.items() if handler not in {signal.SIG_IGN, None}}
    for number in usual:
        signal.signal(number, hold)
    try:
        yield pending
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(pending):
            signal.raise_signal(number)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
