"""Runs one command and prints what it cost. Standard library alone, and little of it.

A child's peak memory is never less than its parent's at the time of the start, so the parent has to be small.
"""

import json
import os
import sys
import time

_NOWHERE = os.open(os.devnull, os.O_WRONLY)
_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss

_started = time.perf_counter()
_child = os.posix_spawnp(
    sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, _NOWHERE, 1)]
)
_, _status, _usage = os.wait4(_child, 0)
_cost = {
    "wall": time.perf_counter() - _started,
    "cpu": _usage.ru_utime + _usage.ru_stime,
    "peak": _usage.ru_maxrss * _BYTES,
    "status": os.waitstatus_to_exitcode(_status),
}
sys.stdout.write(json.dumps(_cost))
