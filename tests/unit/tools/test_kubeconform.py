"""How kubeconform's answers are read."""

from pathlib import Path
from typing import Any

import pytest

from llmd_tools import kubeconform, schemas
from llmd_tools.errors import ToolError


def _answer(status: str, msg: str = "", **fields: str) -> dict[str, Any]:
    return (
        {"filename": "a.yaml", "kind": "Widget", "name": "w", "version": "example.com/v1"}
        | fields
        | {
            "status": status,
            "msg": msg,
        }
    )


_MISSING = _answer("statusError", "could not find schema for Widget")


def test_kind_without_schema_is_listed() -> None:
    """What nobody judged is neither a failure nor passed in silence."""
    report = kubeconform.read_answers([_MISSING, _MISSING], set())
    assert report == kubeconform.Report(2, (), {"example.com/v1 Widget": 2})


def test_schema_that_does_not_compile_is_a_failure() -> None:
    """The program says that it cannot find it, but it is there."""
    report = kubeconform.read_answers([_MISSING], {schemas.file_name("example.com/v1", "Widget")})
    assert [failure.subject for failure in report.failures] == ["Widget w"]
    assert report.skipped == {}


def test_faults_are_named_by_their_field() -> None:
    """Every fault has the path of its field, also one behind a reference to another part of the schema."""
    message = "problem validating schema. ... - at '/spec/a/0': not good\n- at '/metadata': additional properties 'x' not allowed"
    [failure] = kubeconform.read_answers([_answer("statusInvalid", message)], set()).failures
    assert (
        str(failure)
        == "a.yaml: Widget w: metadata: additional properties 'x' not allowed; spec.a.0: not good"
    )


def test_unreadable_file_is_a_failure() -> None:
    """A file that is no manifest does not vanish."""
    answer = _answer("statusError", "error while parsing: missing 'kind' key", kind="", name="", version="")
    [failure] = kubeconform.read_answers([answer], set()).failures
    assert str(failure) == "a.yaml: error while parsing: missing 'kind' key"


def test_empty_documents_are_not_counted() -> None:
    """A comment between two `---` is no object."""
    empty = [_answer("", kind="", name="", version=""), _answer("statusEmpty", kind="", name="", version="")]
    assert kubeconform.read_answers([*empty, _answer("statusValid")], set()) == kubeconform.Report(1, (), {})


def test_two_sets_with_one_kind_are_refused(tmp_path: Path) -> None:
    """One of the two would judge in the other's name."""
    for name in ("old", "new"):
        (tmp_path / name / "example.com").mkdir(parents=True)
        (tmp_path / name / "example.com" / "widget_v1.json").touch()
    with pytest.raises(ToolError, match=r"'old' and 'new' both define example\.com/widget_v1\.json"):
        kubeconform.apart({name: tmp_path / name for name in ("old", "new")})
