"""The workload as a construct tree of this repository."""

from collections.abc import Sequence

from llmd_bench.workload import Values, environments, parts
from llmd_constructs.application import Application, Component, Wave
from llmd_constructs.config.load import LoadedEnvironment
from llmd_constructs.context import Context
from llmd_constructs.environment import EnvironmentApp


class WorkloadApp(EnvironmentApp):
    """An environment that holds the workload instead of what its file asks for."""

    def __init__(self, context: Context, values: list[Values]) -> None:
        """Build the tree: an Application per application, a Component per part of it."""
        super(EnvironmentApp, self).__init__()
        self.context = context
        self.applications = [self._workload(item) for item in values]

    def _workload(self, values: Values) -> Application:
        application = Application(self, values.name, wave=Wave.MODELS, namespace=values.name)
        for name, manifests in parts(values).items():
            component = Component(application, name)
            for manifest in manifests:
                component.add(manifest)
        return application


def workload_apps(loaded: Sequence[LoadedEnvironment], applications: int) -> list[WorkloadApp]:
    """The trees of the first `applications` applications."""
    return [
        WorkloadApp(Context(item.name, item.environment), values)
        for item, values in zip(loaded, environments(applications), strict=True)
    ]
