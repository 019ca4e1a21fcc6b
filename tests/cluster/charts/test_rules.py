"""What a schema cannot say stops an installation, by the id of the rule and with what to write instead."""

import pytest

from llmd_tools.helm import Helm
from llmd_tools.judges.charts import CHARTS

pytestmark = pytest.mark.cluster

TOLD = [
    (
        "llm-d-single-replica",
        ("model=meta-llama/Llama-3.3-70B-Instruct",),
        "FIT-01: meta-llama/Llama-3.3-70B-Instruct does not fit",
    ),
    ("llm-d-single-replica", ("engine.maxModelLen=999999",), "write engine.maxModelLen: 40960 or less"),
    ("llm-d-single-replica", ("model=Qwen/Qwen2.5-7B-Instruct", "engine.tensorParallelSize=8"), "FIT-02"),
    ("llm-d-single-replica", ("engine.tensorParallelSize=2",), "FIT-02: the 1 devices of ct6e-standard-1t"),
    ("llm-d-single-replica", ("scheduler.weights.kv-cache-scorer=3",), "EPP-04"),
    ("llm-d-prefix-cache", ("routing=precise", "picker=v0.5.1"), "EPP-04"),
    (
        "llm-d-mixture-of-experts",
        ("accelerator=ct6e-standard-4t:4x4",),
        "ACC-12: a slice of ct6e-standard-4t:4x4 is 4 nodes",
    ),
    (
        "llm-d-prefix-cache",
        ("autoscaling.maxReplicas=4",),
        "MON-02: autoscaling follows metrics that nobody collects; write monitoring.enabled: true",
    ),
    (
        "llm-d-prefix-cache",
        ("autoscaling.maxReplicas=2", "monitoring.enabled=true"),
        "MON-05: autoscaling.maxReplicas is 2, and 2 is the fewest already; write 3 or more, or lower replicas",
    ),
    (
        "kserve-prefill-decode",
        ("decode.autoscaling.maxReplicas=2", "monitoring.enabled=true", "kserve=odh-0.15"),
        "MON-06: KServe odh-0.15 sets replicas back at every change",
    ),
    (
        "llm-d-mixture-of-experts",
        (
            "accelerator=ct6e-standard-4t:4x4",
            "nodesPerReplica=4",
            "autoscaling.maxReplicas=2",
            "monitoring.enabled=true",
        ),
        "ACC-12: a slice of several hosts holds one replica; leave autoscaling out",
    ),
    ("kserve-prefix-cache", ("routing=precise",), "KServe's picker is not told where replicas publish"),
    ("kserve-single-replica", ("gateway.provider=istio",), "istio names no release"),
    ("kserve-single-replica", ("gateway.provider=istio", "istio=1.26"), "GWY-09"),
    (
        "kserve-single-replica",
        ("gateway.provider=istio", "istio=1.27", "kserve=odh-0.15", "gateway.name=other"),
        "KSV-02",
    ),
]


@pytest.mark.parametrize(("name", "settings", "told"), TOLD)
def test_a_rule_stops_the_installation(helm: Helm, name: str, settings: tuple[str, ...], told: str) -> None:
    """The message begins with the id that `docs/rules.md` explains."""
    given = [part for each in settings for part in (_flag(each), each)]
    done = helm.run("template", "any", CHARTS / name, *given)
    assert done.returncode != 0
    assert told in done.stderr


def _flag(setting: str) -> str:
    """Releases look like numbers."""
    return "--set-string" if setting.startswith("istio=") else "--set"


def test_a_long_name_stops_the_installation(helm: Helm) -> None:
    """Controllers append to the release's name."""
    done = helm.run("template", "a" * 41, CHARTS / "kserve-single-replica")
    assert "KSV-08" in done.stderr
