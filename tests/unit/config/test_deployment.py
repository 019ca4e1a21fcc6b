"""Settings of a deployment that are more than a type."""

import pytest
from pydantic import ValidationError

from llmd_constructs.config.deployment import Engine


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("--max-num-seqs 4", "is one word to vLLM; write --max-num-seqs=4"),
        ("--max-num-seqs  4 ", "is one word to vLLM; write --max-num-seqs=4"),
        ("max-num-seqs=4", "'max-num-seqs=4' is no flag; write --flag, or --flag=value in one item"),
        ("4", "'4' is no flag"),
        ("-tp=4", "'-tp=4' is no flag"),
        ("--", "'--' is no flag"),
        ("--a b=c", "is one word to vLLM; write --a=b=c"),
        ("", "'' is no flag"),
    ],
)
def test_an_argument_that_is_no_flag_is_refused(item: str, said: str) -> None:
    """Each item is one word of the command line, so that a blank or a stray word stops vLLM at its start."""
    with pytest.raises(ValidationError) as refused:
        Engine.model_validate({"extraArgs": ["--port=1", item]})
    (error,) = refused.value.errors()
    assert error["loc"] == ("extraArgs", 1)
    assert said in error["msg"]


@pytest.mark.parametrize(
    "item",
    [
        "--disable-uvicorn-access-log",
        "--max-num-seqs=4",
        '--override-generation-config={"a": 1}',
        "--compilation-config.level=3",
        "--chat-template=",
        "--x=first\nsecond",
    ],
)
def test_a_flag_is_taken_as_it_stands(item: str) -> None:
    """A value may hold blanks, breaks and signs, and names may have dots."""
    assert Engine.model_validate({"extraArgs": [item]}).extra_args == (item,)
