"""What the box says of programs that are others than an environment names."""

import pytest

from llmd_tools.box.stand_ins import notes
from llmd_tools.judges.rendered import environments


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("tpu-test-cluster", "in place of Istio v1.26.6: v"),
        ("tpu-test-cluster", "in place of KServe odh-0.15: upstream's v0.17."),
        ("tpu-test-cluster", "in place of the endpoint picker v0.4.0: v"),
        ("nvidia-test-cluster", "in place of the endpoint picker v0.4.0: v"),
        ("nvidia-test-cluster", "in place of GKE's gateway: "),
        ("llmd-gke-gpu", "nobody measures load: "),
        ("llmd-istio-tpu-pattern1", "NetworkPolicies are applied, and nobody enforces them"),
    ],
)
def test_another_program_is_named(environment: str, words: str) -> None:
    """Whoever reads the output knows what has not been seen at work."""
    assert any(each.startswith(words) for each in notes(environments()[environment]))


@pytest.mark.parametrize(
    ("environment", "word"),
    [("kserve-istio-gpu", "KServe"), ("llmd-istio-tpu", "picker"), ("llmd-istio-tpu", "GKE")],
)
def test_what_runs_as_named_is_not_mentioned(environment: str, word: str) -> None:
    """No line is there for the release that an environment names."""
    assert not any(word in each for each in notes(environments()[environment]))
