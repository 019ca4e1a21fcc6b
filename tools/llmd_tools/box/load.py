"""Many clients at once: what prefix-aware routing changes, measured by locust.

The numbers are the simulator's, whose times are made up (see `vllm`), on a machine that runs everything at once: they
compare two ways of routing, and say nothing of a model or an accelerator.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml
from rich.box import SIMPLE
from rich.table import Table

from llmd_tools.box.scenarios.caching import NAMESPACE, REPLICAS
from llmd_tools.box.scenarios.faults import CONFIG, PICKER, restart_picker
from llmd_tools.box.scenarios.routing import ONE_MODEL
from llmd_tools.box.scenarios.world import World
from llmd_tools.errors import ToolError

_SOURCES = Path(__file__).parents[2]
_SESSIONS = Path(__file__).parent / "sessions.py"
_ANSWERS, _FIRST = "POST", "first piece"
_SCORER = "prefix-cache-scorer"
_PORT = 8000


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        name: How requests were routed.
        seconds: How long it ran.
        answers: Requests that were answered.
        failures: Requests that were not.
        first: Milliseconds to the first piece of an answer, and how many answers took so long.
        spread: Answers by replica.
        cached: Share of prompt tokens that a replica had in its cache, from 0 to 1.
    """

    name: str
    seconds: int
    answers: int
    failures: int
    first: Mapping[float, int]
    spread: Mapping[str, int]
    cached: float

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of answers had begun."""
        return next((each for each, reached in self.cumulated() if reached >= share), 0.0)

    def cumulated(self) -> list[tuple[float, float]]:
        """Milliseconds, and the share of answers that had begun by then."""
        times = sorted(self.first)
        counts = accumulate(self.first[each] for each in times)
        total = sum(self.first.values())
        return [(each, count / total) for each, count in zip(times, counts, strict=True)]


def measure(world: World, clients: int, seconds: int) -> Iterator[Measured]:
    """Run the same load with prefix-aware routing and without.

    Args:
        world: The environment of the scenarios.
        clients: How many ask at once.
        seconds: How long each run lasts.

    Raises:
        ToolError: If locust does not run.
    """
    yield _run(world, "prefix-aware", clients, seconds)
    with ExitStack() as after:
        after.callback(restart_picker, world)
        after.enter_context(world.patched(NAMESPACE, "configmap", PICKER, _unaware(world)))
        restart_picker(world)
        yield _run(world, "by load alone", clients, seconds)


def table(runs: Sequence[Measured]) -> Table:
    """The runs side by side."""
    title = "time to the first piece of an answer, and prompt tokens from cache"
    result = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0))
    for column in ("routing", "answers", "failed", "per s", "p50", "p95", "cached", "by replica"):
        result.add_column(column, no_wrap=True)
    for run in runs:
        result.add_row(
            run.name,
            str(run.answers),
            str(run.failures),
            f"{run.answers / run.seconds:.1f}",
            f"{run.percentile(0.5):.0f} ms",
            f"{run.percentile(0.95):.0f} ms",
            f"{run.cached:.0%}",
            "/".join(str(each) for each in sorted(run.spread.values(), reverse=True)),
        )
    return result


def _run(world: World, name: str, clients: int, seconds: int) -> Measured:
    before = _tokens(world)
    stats = _locust(world.gateway.at(ONE_MODEL).url, clients, seconds)
    cached, asked = (after - earlier for after, earlier in zip(_tokens(world), before, strict=True))
    answers = [each for each in stats if each["method"] == _ANSWERS]
    first = [each for each in stats if each["method"] == _FIRST]
    failures = sum(each["num_failures"] for each in answers)
    return Measured(
        name=name,
        seconds=seconds,
        answers=sum(each["num_requests"] for each in answers) - failures,
        failures=failures,
        first=_summed(each["response_times"] for each in first),
        spread={each["name"]: each["num_requests"] for each in first},
        cached=cached / asked if asked else 0.0,
    )


def _locust(url: str, clients: int, seconds: int) -> list[dict[str, Any]]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "--headless", "--json", "--only-summary", "--loglevel=ERROR"),
            *(f"--locustfile={_SESSIONS}", f"--host={url}"),
            *(f"--users={clients}", f"--spawn-rate={clients}", f"--run-time={seconds}s"),
        ],
        env={**os.environ, "PYTHONPATH": str(_SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise ToolError(f"locust does not run: {done.stderr.strip()[-1000:]}") from error


def _summed(histograms: Iterator[Mapping[str, int]]) -> Mapping[float, int]:
    found: Counter[float] = Counter()
    for histogram in histograms:
        for milliseconds, count in histogram.items():
            found[float(milliseconds)] += count
    return found


def _tokens(world: World) -> tuple[float, float]:
    """Prompt tokens that the replicas have found in their caches so far, and those that they have looked for."""
    series = [each for pod in world.pods_of(NAMESPACE, REPLICAS) for each in world.metrics(pod, _PORT)]
    hits = sum(value for name, value in series if name.startswith("vllm:prefix_cache_hits"))
    queries = sum(value for name, value in series if name.startswith("vllm:prefix_cache_queries"))
    return hits, queries


def _unaware(world: World) -> Mapping[str, Any]:
    """The patch that takes the cache's scorer out of the picker's configuration."""
    found = world.cluster.server.get("v1", "ConfigMap", PICKER, NAMESPACE) or {}
    config = yaml.safe_load(found["data"][CONFIG])
    for profile in config["schedulingProfiles"]:
        profile["plugins"] = [each for each in profile["plugins"] if each["pluginRef"] != _SCORER]
    return {"data": {CONFIG: yaml.safe_dump(config, sort_keys=False)}}
