"""Everything that is true of the world: data with its source and date, behind typed look-ups.

The data are the YAML files beside the modules. Each is read and checked the first time it is asked for.
Adding an accelerator, a model, a release or a price is one entry in one of them.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from ._install import ChartSource, GitSource, Install
from ._table import Entry, UnknownEntry, look_up
from .accelerators import Accelerator, AcceleratorKind, Taint, accelerators
from .gke import (
    VERSIONS_FILE,
    GatewayClass,
    GkeFacts,
    Network,
    VersionGate,
    gateway_classes,
    gke,
    reaches,
)
from .machine_types import MachineType, Topology, machine_types
from .models import Experts, LatentAttention, Model, SlidingWindow, models
from .prices import Price, PriceModel, prices
from .releases.auxiliary import Auxiliary, auxiliaries
from .releases.engine import EngineImage, EngineKind, engine_images
from .releases.istio import IstioRelease, istio_releases
from .releases.kserve import KServeFeatures, KServeRelease, kserve_releases
from .releases.picker import PickerRelease, picker_releases
from .upstream import CrdModule, Upstream, upstreams

__all__ = [
    "VERSIONS_FILE",
    "Accelerator",
    "AcceleratorKind",
    "Auxiliary",
    "ChartSource",
    "CrdModule",
    "EngineImage",
    "EngineKind",
    "Entry",
    "Experts",
    "GatewayClass",
    "GitSource",
    "GkeFacts",
    "Install",
    "IstioRelease",
    "KServeFeatures",
    "KServeRelease",
    "Kind",
    "LatentAttention",
    "MachineType",
    "Model",
    "Network",
    "PickerRelease",
    "Price",
    "PriceModel",
    "SlidingWindow",
    "Taint",
    "Topology",
    "UnknownEntry",
    "Upstream",
    "VersionGate",
    "accelerator",
    "auxiliary",
    "default_engine",
    "engine_image",
    "gateway_class",
    "gke",
    "ids",
    "istio_release",
    "kserve_release",
    "machine_type",
    "model",
    "picker_release",
    "prices",
    "reaches",
    "upstream",
]

Kind = Literal[
    "accelerator",
    "machine_type",
    "model",
    "kserve_release",
    "picker_release",
    "istio_release",
    "engine_image",
    "auxiliary",
    "upstream",
    "gateway_class",
]

_TABLES: dict[Kind, Callable[[], Mapping[str, Entry]]] = {
    "accelerator": accelerators,
    "machine_type": machine_types,
    "model": models,
    "kserve_release": kserve_releases,
    "picker_release": picker_releases,
    "istio_release": istio_releases,
    "engine_image": engine_images,
    "auxiliary": auxiliaries,
    "upstream": upstreams,
    "gateway_class": gateway_classes,
}


def accelerator(id: str) -> Accelerator:
    """Return an accelerator, or raise UnknownEntry."""
    return look_up("accelerator", accelerators(), id)


def machine_type(name: str) -> MachineType:
    """Return a machine type, or raise UnknownEntry."""
    return look_up("machine type", machine_types(), name)


def model(id: str) -> Model:
    """Return a model, or raise UnknownEntry."""
    return look_up("model", models(), id)


def kserve_release(id: str) -> KServeRelease:
    """Return a KServe release, or raise UnknownEntry."""
    return look_up("KServe release", kserve_releases(), id)


def picker_release(id: str) -> PickerRelease:
    """Return an endpoint picker release, or raise UnknownEntry."""
    return look_up("endpoint picker release", picker_releases(), id)


def istio_release(id: str) -> IstioRelease:
    """Return an Istio release, or raise UnknownEntry."""
    return look_up("Istio release", istio_releases(), id)


def engine_image(image: str) -> EngineImage:
    """Return an engine image, or raise UnknownEntry."""
    return look_up("engine image", engine_images(), image)


def default_engine(kind: EngineKind) -> EngineImage:
    """Return the engine image to use where a user names none."""
    return next(e for e in engine_images().values() if e.kind == kind and e.default)


def auxiliary(id: str) -> Auxiliary:
    """Return an auxiliary program, or raise UnknownEntry."""
    return look_up("auxiliary program", auxiliaries(), id)


def upstream(name: str) -> Upstream:
    """Return a piece of third-party software, or raise UnknownEntry."""
    return look_up("third-party software", upstreams(), name)


def gateway_class(name: str) -> GatewayClass:
    """Return a gateway class, or raise UnknownEntry."""
    return look_up("gateway class", gateway_classes(), name)


def ids(kind: Kind) -> tuple[str, ...]:
    """Return every name of one kind, in the order of its data file."""
    return tuple(_TABLES[kind]())
