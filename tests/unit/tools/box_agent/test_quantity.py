"""Quantities of resources."""

from decimal import Decimal

import pytest

from llmd_tools.box.agent.quantity import divided, parse


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("8", "8"),
        ("500m", "0.5"),
        ("1.5", "1.5"),
        ("2Gi", "2147483648"),
        ("3M", "3000000"),
        ("1e3", "1000"),
        ("100n", "0.0000001"),
    ],
)
def test_suffixes_are_those_of_kubernetes(text: str, number: str) -> None:
    """Powers of ten and of two, thousandths and exponents."""
    assert parse(text) == Decimal(number)


def test_a_part_counts_as_a_whole() -> None:
    """1.5 processors are two, in units of one."""
    assert (divided("1500m", "1"), divided("1500m", "1m"), divided("1Gi", "1Mi")) == (2, 1500, 1024)


@pytest.mark.parametrize("text", ["", "many", "1Q", "1 Gi"])
def test_other_texts_are_refused(text: str) -> None:
    """The message quotes the text."""
    with pytest.raises(ValueError, match="is no quantity"):
        parse(text)
