"""The cluster: where it is, its node pools, its network."""

from ipaddress import IPv4Network
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from llmd_constructs.config.base import DnsLabel, Flag, Model, ProjectId, Whole, in_words


def _only_text(value: object) -> object:
    """Refuse numbers, which would be taken for a single address."""
    if isinstance(value, str):
        return value
    raise ValueError("must be an address range; write it as text, such as 192.168.0.0/23")


AddressRange = Annotated[IPv4Network, BeforeValidator(_only_text)]
"""A range of IPv4 addresses in CIDR notation."""


class AttachedAccelerator(Model):
    """GPUs added to a general-purpose machine type (`--accelerator type=…,count=…`)."""

    type: str
    """Accelerator id from the catalogue, such as `nvidia-t4`."""
    count: Annotated[Whole, Field(ge=1, le=16)] = 1
    """GPUs per node."""


class NodePool(Model):
    """A GKE node pool. Node pools are made with gcloud or Terraform; here they are described."""

    name: DnsLabel
    """The node pool's name on the cluster."""
    machine_type: str
    """Compute Engine machine type, such as `ct6e-standard-4t`."""
    topology: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[0-9]+(x[0-9]+){1,2}$"),
            in_words("must be a topology such as 2x2 or 2x2x1"),
        ]
        | None
    ) = None
    """TPU topology, such as `2x2`. Default: the machine type's single-host topology."""
    accelerator: AttachedAccelerator | None = None
    """GPUs attached to an N1 machine. Other accelerators follow from the machine type."""
    min_nodes: Annotated[Whole, Field(ge=0, le=1000)] = 0
    """Autoscaling minimum."""
    max_nodes: Annotated[Whole, Field(ge=1, le=1000)]
    """Autoscaling maximum. Everything this environment schedules has to fit within it."""
    boot_disk_gb: Annotated[Whole, Field(ge=10, le=65536)] = 100
    """Boot disk of each node. GKE leaves less than half of it to downloaded weights."""
    spot: Flag = False
    """Spot VMs: cheaper, and taken away at any time."""

    @model_validator(mode="after")
    def _min_within_max(self) -> Self:
        if self.min_nodes > self.max_nodes:
            raise ValueError(
                f"minNodes {self.min_nodes} is above maxNodes {self.max_nodes}; raise maxNodes or lower minNodes",
            )
        return self


class Network(Model):
    """Address ranges that network policies have to name, because GKE's gateway has no pods."""

    proxy_only_subnet: AddressRange | None = None
    """The region's proxy-only subnet (`REGIONAL_MANAGED_PROXY`), from which GKE's load balancer speaks."""
    control_plane: AddressRange | None = None
    """The Kubernetes API server's range. Default: port 443 anywhere."""


class Cluster(Model):
    """One GKE cluster."""

    name: DnsLabel
    """The cluster's name in GKE."""
    project: ProjectId
    """The Google Cloud project's id."""
    location: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]+(-[a-z])?$"),
        in_words("must be a zone such as europe-west4-a, or a region such as europe-west4"),
    ]
    """Zone (`europe-west4-a`) or region (`europe-west4`)."""
    kubernetes: Annotated[
        str,
        StringConstraints(pattern=r"^1\.[0-9]+(\.[0-9]+-gke\.[0-9]+)?$"),
        in_words('must be a minor such as "1.34", or a GKE version such as 1.34.3-gke.1051003'),
    ]
    """Kubernetes minor (`"1.34"`) or whole GKE version (`1.34.3-gke.1051003`)."""
    network: Network = Network()
    """Address ranges for network policies."""
    node_pools: Annotated[tuple[NodePool, ...], Field(min_length=1)]
    """All node pools of the cluster."""

    @property
    def region(self) -> str:
        """The region of `location`."""
        return "-".join(self.location.split("-")[:2])

    @property
    def minor(self) -> str:
        """The Kubernetes minor, such as `1.34`."""
        return ".".join(self.kubernetes.split(".")[:2])
