"""Whatever a file holds, it is read or refused with problems; nothing else comes out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from llmd_constructs.config import InputError
from llmd_constructs.config.environment import Environment
from llmd_constructs.config.merge import resolve_extends
from llmd_constructs.config.problems import from_validation_error
from llmd_constructs.config.source import Source, read_source

_FRAGMENTS = [
    *(
        "a",
        "b: ",
        "name: x",
        "- ",
        "? ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\n",
        "\n  ",
        "\n    ",
        "\t",
        "|\n",
        ">-\n",
    ),
    *(
        "&x ",
        "*x",
        "!t ",
        "!!int ",
        "<<: ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "#",
        "'",
        '"',
        "\\",
        "\\x",
        "${",
        "}",
        "$A",
    ),
    *(
        "null",
        "~",
        "yes",
        "1.27",
        "0x",
        "0o7",
        "1e999",
        ".inf",
        "-",
        "extends: ",
        "a.yaml",
        "../",
        "\u2028",
        "\ufeff",
        "\0",
    ),
    *("cluster:", "deployments:", "pattern: ", "single-replica", "platform:", "gateway: ", "\r\n", "é", "𝄞"),
]
_TEXT = st.lists(st.sampled_from(_FRAGMENTS) | st.text(max_size=3), max_size=30).map("".join)
_CONTENT = (
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode())
    | _TEXT.map(lambda text: text.encode())
)
_KEYS = st.sampled_from(
    [
        *(
            "cluster",
            "gitops",
            "platform",
            "deployments",
            "name",
            "nodePools",
            "network",
            "proxyOnlySubnet",
            "gateway",
        ),
        *(
            "provider",
            "secrets",
            "pattern",
            "stack",
            "engine",
            "models",
            "adapters",
            "weights",
            "scheduler",
            "replicas",
        ),
        *(
            "prefill",
            "decode",
            "extraArgs",
            "env",
            "tls",
            "pattrn",
            "name s",
            "node_pools",
            "kubernetes",
            "[key]",
            "",
        ),
    ],
)
_VALUES = st.sampled_from(
    [
        "single-replica",
        "prefill-decode",
        "multi-model",
        "gke",
        "kserve",
        "x",
        "1.27",
        "",
        0,
        1,
        -1,
        1.27,
        1e300,
        True,
        None,
    ],
)
_ALMOST = st.dictionaries(
    _KEYS,
    st.recursive(
        _VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5)
    ),
    max_size=5,
).map(lambda data: yaml.safe_dump(data) if data else "")
"""Files whose keys and values are those of an environment, in the wrong places."""
_SETTINGS = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _outcome(read: Callable[[Path, Path], Source], path: Path, root: Path) -> Source | InputError:
    try:
        return read(path, root)
    except InputError as error:
        return error


@_SETTINGS
@given(content=_CONTENT)
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    """A source knows where its values stand; a refusal names the file and says why."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    outcome = _outcome(read_source, path, tmp_path)
    if isinstance(outcome, InputError):
        assert outcome.problems
        assert all(problem.file == "a.yaml" and problem.message for problem in outcome.problems)
    else:
        assert all(outcome.position((key,)).line >= 1 for key in outcome.data)
        assert json.loads(json.dumps(outcome.data, allow_nan=False)) == outcome.data


@_SETTINGS
@given(data=_ALMOST, base=_ALMOST | _TEXT)
def test_any_file_is_an_environment_or_a_list_of_problems(tmp_path: Path, data: str, base: str) -> None:
    """The way from text to a checked environment ends in values or problems, bases included."""
    folder = tmp_path / "environments"
    folder.mkdir(exist_ok=True)
    (folder / "a.yaml").write_bytes(base.encode())
    (folder / "b.yaml").write_bytes(f"extends: a.yaml\n{data}".encode())
    outcome = _outcome(resolve_extends, folder / "b.yaml", tmp_path)
    if isinstance(outcome, InputError):
        assert str(outcome)
        return
    with pytest.raises(ValidationError) as caught:
        Environment.model_validate(outcome.data)
    problems = from_validation_error(caught.value, outcome, Environment)
    assert problems
    assert all(problem.line and problem.message for problem in problems)
