"""All files below `charts/`."""

from collections.abc import Iterable

from llmd_constructs.charts.chart import Files, template_files, values_file
from llmd_constructs.charts.definition import Definition
from llmd_constructs.charts.package import package_files, platform_files
from llmd_constructs.charts.releases import releases
from llmd_constructs.charts.rules import fit_table, rules_template, scorers_table
from llmd_constructs.charts.template import ChartTemplate
from llmd_constructs.config.load import LoadedEnvironment
from llmd_constructs.environment import EnvironmentApp


def chart_files(chart: Definition) -> Files:
    """The files of one chart, by path from the root of the repository."""
    folded = ChartTemplate(chart)
    files = {
        **template_files(folded, folded.fold()),
        **_around(chart),
        "values.yaml": values_file(chart.schema, chart.defaults),
    }
    return {f"charts/{chart.name}/{path}": text for path, text in files.items()}


def _around(chart: Definition) -> Files:
    """What is not folded from renderings."""
    if chart.serves is None:
        return platform_files(chart.name, chart.description, chart.schema)
    pattern, stack = chart.serves
    return {
        **package_files(chart.name, pattern, stack, chart.schema),
        "templates/rules.yaml": rules_template(pattern, stack),
        "tables/fit.yaml": fit_table(pattern),
        "tables/scorers.yaml": scorers_table(stack),
    }


def values_files(loaded: Iterable[LoadedEnvironment]) -> Files:
    """The values file of every application of every environment."""
    return {
        release.path: release.text
        for item in loaded
        for release in releases(EnvironmentApp(item.name, item.environment))
    }
