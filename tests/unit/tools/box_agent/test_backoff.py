"""How long a container that ends again and again is let wait."""

from llmd_tools.box.agent.backoff import FORGIVEN_SECONDS, BackOff


def test_waits_double_up_to_five_minutes() -> None:
    """None after the first end, then ten seconds, twice as long each time, and never more than five minutes."""
    back_off = BackOff()
    assert [back_off.wait(1) for _ in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_long_run_is_forgiven() -> None:
    """A container that ran for ten minutes is started at once, and its waits begin anew."""
    back_off = BackOff()
    for _ in range(5):
        back_off.wait(1)
    assert [back_off.wait(FORGIVEN_SECONDS), back_off.wait(1)] == [0, 10]
