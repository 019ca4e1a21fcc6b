"""What our side of Argo CD works out for itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from llmd_tools.argocd import BRANCH, ApplicationState, Repository, standstill


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock on by some seconds."""
    now = [0.0]

    def move(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(standstill.time, "monotonic", lambda: now[0])
    return move


def _state(health: str) -> dict[str, ApplicationState]:
    return {
        "one": ApplicationState.of({"metadata": {"name": "one"}, "status": {"health": {"status": health}}})
    }


def test_standstill_is_seen_after_a_while(pass_time: Callable[[float], None]) -> None:
    """States that stay as they are for some seconds are a standstill, told once each such while."""
    watch = standstill.Standstill()
    assert not watch.seen_in(_state("Progressing"))
    pass_time(1)
    assert not watch.seen_in(_state("Progressing"))
    pass_time(10)
    assert watch.seen_in(_state("Progressing"))
    assert not watch.seen_in(_state("Progressing"))
    pass_time(10)
    assert watch.seen_in(_state("Progressing"))


def test_a_change_is_no_standstill(pass_time: Callable[[float], None]) -> None:
    """However long it took."""
    watch = standstill.Standstill()
    watch.seen_in(_state("Progressing"))
    pass_time(60)
    assert not watch.seen_in(_state("Healthy"))


def test_a_state_names_what_failed() -> None:
    """An application that is not settled says why, object by object; one that is says nothing more."""
    failed = ApplicationState.of(
        {
            "metadata": {"name": "one"},
            "status": {
                "sync": {"status": "OutOfSync"},
                "operationState": {
                    "phase": "Failed",
                    "message": "tasks failed",
                    "syncResult": {
                        "resources": [
                            {
                                "kind": "Deployment",
                                "name": "a",
                                "status": "SyncFailed",
                                "message": "bad field",
                            },
                            {"kind": "Service", "name": "b", "status": "Synced", "message": "applied"},
                        ]
                    },
                },
            },
        }
    )
    assert str(failed) == "one: OutOfSync, -, Failed; tasks failed; Deployment a: bad field"
    assert not failed.settled


def test_every_branch_is_at_the_last_commit(tmp_path: Path) -> None:
    """An environment that names another branch than the usual one finds the same files there."""
    repository = Repository(tmp_path)
    repository.branch("production")
    repository.commit({"a": "1"})
    last = repository.commit({"a": "2"})
    refs = (tmp_path / "repository.git" / "refs" / "heads").iterdir()
    assert {ref.name: ref.read_text().strip() for ref in refs} == {BRANCH: last, "production": last}


def test_an_application_looks_where_its_source_is() -> None:
    """So that a commit can be told to those whose files it changes."""
    state = ApplicationState.of({"metadata": {"name": "one"}, "spec": {"source": {"path": "dist/one"}}})
    assert [
        state.reads(path) for path in ("dist/one/a.yaml", "dist/one/b/c.yaml", "dist/one-more/a.yaml")
    ] == [
        True,
        True,
        False,
    ]
