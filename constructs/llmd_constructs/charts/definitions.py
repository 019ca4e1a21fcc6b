"""Every chart."""

from llmd_constructs.charts.definition import Definition
from llmd_constructs.charts.platform import platform_charts
from llmd_constructs.charts.rendering import Renderer, repair
from llmd_constructs.charts.values import PATTERNS, STACKS, values_model
from llmd_constructs.config.deployment import Stack


def chart_name(pattern: str, stack: Stack) -> str:
    """The chart of a pattern on a stack."""
    return f"{stack}-{pattern}"


def model_chart(pattern: str, stack: Stack) -> Definition:
    """The chart of a pattern on a stack."""
    items = ("models",) if pattern == "multi-model" else ()
    summary = (PATTERNS[pattern].__doc__ or "").strip().rstrip(".")
    where = "on KServe" if stack == "kserve" else "on llm-d without KServe"
    return Definition(
        chart_name(pattern, stack),
        f"{summary}, {where}.",
        values_model(pattern, stack),
        Renderer(pattern, stack),
        repair,
        items,
        (pattern, stack),
    )


def definitions() -> tuple[Definition, ...]:
    """Every chart, those of models first."""
    models = (model_chart(pattern, stack) for stack in STACKS for pattern in PATTERNS)
    return (*models, *platform_charts())
