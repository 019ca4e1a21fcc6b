"""How Argo CD installs third-party software: from git, or from a Helm chart."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from ._table import Value


class GitSource(Value):
    """A folder of a git repository.

    Attributes:
        type: Tells it from a chart.
        repo: The repository's URL.
        path: The folder within it.
        revision: A tag, or a full commit where no tag holds still.
        branch: The branch that the commit was read on; for people only.
        include: Files of the folder to apply, as Argo CD's `directory.include`; None means Kustomize decides.
        kustomize_images: Images to replace, as Kustomize's `name=new-name:tag`.
        namespaces: Namespaces that its manifests name, where they are not ours to make.
    """

    type: Literal["git"]
    repo: str
    path: str
    revision: str
    branch: str | None = None
    include: str | None = None
    kustomize_images: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()


class ChartSource(Value):
    """A Helm chart.

    Attributes:
        type: Tells it from a git folder.
        repo: An HTTPS chart repository, or an OCI registry path without `oci://`, as Argo CD wants it.
        oci: Whether `repo` is an OCI registry.
        chart: The chart's name.
        version: The chart's version.
        values: Values that the installation needs whatever the environment.
    """

    type: Literal["chart"]
    repo: str
    oci: bool = False
    chart: str
    version: str
    values: Mapping[str, Any] = {}


Install = Annotated[GitSource | ChartSource, Field(discriminator="type")]
