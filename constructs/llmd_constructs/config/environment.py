"""The environment file as a whole: one cluster and what runs on it."""

from typing import Annotated

from pydantic import Field

from llmd_constructs.config.base import Model
from llmd_constructs.config.cluster import Cluster, NodePool
from llmd_constructs.config.deployment import Deployment
from llmd_constructs.config.extras import Extras, Waiver
from llmd_constructs.config.platform import GitOps, Platform


class Environment(Model):
    """One cluster, its platform and its deployments."""

    cluster: Cluster
    """The GKE cluster."""
    gitops: GitOps
    """Argo CD's side: repository, revision, destination."""
    platform: Platform
    """Gateway, operators and secrets."""
    deployments: Annotated[tuple[Deployment, ...], Field(min_length=1)]
    """The models."""
    extras: Extras = ()
    """Manifests and patches of your own. The rules hold for them too."""
    waivers: tuple[Waiver, ...] = ()
    """Rules that one object of this environment may break, with a reason."""

    @property
    def active(self) -> tuple[Deployment, ...]:
        """The deployments that are rendered."""
        return tuple(deployment for deployment in self.deployments if deployment.enabled)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces of the rendered deployments, in order, each once."""
        return tuple(dict.fromkeys(deployment.namespace for deployment in self.active))

    @property
    def all_namespaces(self) -> tuple[str, ...]:
        """Namespaces of every deployment, switched off or not."""
        return tuple(dict.fromkeys(deployment.namespace for deployment in self.deployments))

    def node_pool(self, name: str) -> NodePool:
        """The node pool of that name; the model guarantees that it exists."""
        return next(pool for pool in self.cluster.node_pools if pool.name == name)
