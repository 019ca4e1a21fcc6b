"""What makes templates a chart: its card, the schema of its values, notes, a test and a README."""

from importlib.metadata import version
from typing import Any

from llmd_constructs import catalogue
from llmd_constructs.charts.hook import test_hook
from llmd_constructs.charts.notes import PLATFORM_NOTES, notes
from llmd_constructs.charts.readme import model_readme, platform_readme
from llmd_constructs.charts.served import Served
from llmd_constructs.charts.values import PATTERNS
from llmd_constructs.charts.values_schema import values_schema
from llmd_constructs.config.deployment import Stack
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.manifest import INFERENCE_POOL

KEYWORDS = ("llm", "inference", "gateway-api")
ANNOTATIONS = "llmd/"
"""Prefix of the card's annotations."""
HELPERS = """\
{{/* A word as a shell wants it. */}}
{{- define "llmd.shellQuote" -}}
{{- if regexMatch "^[A-Za-z0-9_@%+=:,./-]+$" . -}}{{ . }}{{- else -}}'{{ . | replace "'" "'\\"'\\"'" }}'{{- end -}}
{{- end -}}
"""


def package_files(name: str, pattern: str, stack: Stack, schema: dict[str, Any]) -> dict[str, str]:
    """Everything of a model's chart that is neither its values nor folded from a construct.

    Args:
        name: The chart's name.
        pattern: The chart's pattern.
        stack: The chart's stack.
        schema: The JSON schema of its values, with descriptions.

    Returns:
        Text by path within the chart.
    """
    served = Served(pattern, stack)
    words = (PATTERNS[pattern].__doc__ or "").strip().rstrip(".")
    description = f"{words}, on {'KServe' if stack == 'kserve' else 'llm-d without KServe'}."
    card = {
        **_card(name, description),
        # Of two defaults the one that the chart's own values start.
        "appVersion": catalogue.default_engine("tpu").version,
        "keywords": [*KEYWORDS, "vllm", "tpu", "gpu", stack, pattern],
        "annotations": {f"{ANNOTATIONS}{key}": ", ".join(ids) for key, ids in _releases(stack).items()},
    }
    return {
        "Chart.yaml": yaml_text(card),
        "README.md": model_readme(name, description, pattern, stack, schema),
        "values.schema.json": values_schema(name, schema),
        "templates/_helpers.tpl": HELPERS,
        "templates/NOTES.txt": notes(served),
        "templates/tests/chat.yaml": test_hook(served),
    }


def platform_files(name: str, description: str, schema: dict[str, Any]) -> dict[str, str]:
    """The same of a chart of what models stand on.

    Args:
        name: The chart's name.
        description: What it installs, in one sentence.
        schema: The JSON schema of its values, with descriptions.

    Returns:
        Text by path within the chart.
    """
    return {
        "Chart.yaml": yaml_text({**_card(name, description), "keywords": [*KEYWORDS, "platform"]}),
        "README.md": platform_readme(name, description, schema),
        "values.schema.json": values_schema(name, schema),
        "templates/_helpers.tpl": HELPERS,
        "templates/NOTES.txt": PLATFORM_NOTES,
    }


def _card(name: str, description: str) -> dict[str, Any]:
    oldest = catalogue.gke().version_gates["inference-gateway"].version
    return {
        "apiVersion": "v2",
        "name": name,
        "description": description,
        "type": "application",
        "version": version("llmd-constructs"),
        # Semantic versioning takes what GKE writes after the patch version for a pre-release.
        "kubeVersion": f">={oldest}-0",
    }


def _releases(stack: Stack) -> dict[str, tuple[str, ...]]:
    """What the values accept, by what it is."""
    if stack == "kserve":
        return {"kserve": catalogue.ids("kserve_release"), "istio": catalogue.ids("istio_release")}
    able = (each for each in catalogue.ids("istio_release") if _reads_pools(each))
    return {"picker": catalogue.ids("picker_release"), "istio": tuple(able)}


def _reads_pools(istio: str) -> bool:
    return catalogue.istio_release(istio).inference_pool_api == INFERENCE_POOL.api_version
