"""What every construct of an environment may ask for."""

from dataclasses import dataclass

from llmd_constructs import catalogue
from llmd_constructs.catalogue import IstioRelease, KServeRelease, PickerRelease
from llmd_constructs.config.environment import Environment
from llmd_constructs.manifest import INFERENCE_POOL, INFERENCE_POOL_V1ALPHA2, Kind


@dataclass(frozen=True)
class Context:
    """An environment under its name, with the releases that it runs."""

    name: str
    """The environment's name: the stem of its file, and the folder below `dist/`."""
    environment: Environment

    @property
    def kserve(self) -> KServeRelease | None:
        """The KServe release, if one is installed."""
        release = self.environment.platform.kserve
        return catalogue.kserve_release(release) if release else None

    @property
    def istio(self) -> IstioRelease | None:
        """The Istio release, if one is installed."""
        release = self.environment.platform.istio
        return catalogue.istio_release(release) if release else None

    @property
    def picker(self) -> PickerRelease:
        """The endpoint picker release of the llm-d stack; on KServe the release brings its own."""
        return catalogue.picker_release(self.environment.platform.picker)

    @property
    def serves_tls(self) -> bool:
        """Whether model servers speak TLS: KServe issues certificates, and Istio's gateway checks them.

        GKE's gateway cannot: an InferencePool behind it is plain HTTP (failure F-12).
        """
        kserve = self.kserve
        return (
            self.environment.platform.gateway.provider == "istio"
            and kserve is not None
            and kserve.engine_tls_default
        )

    @property
    def read_pool(self) -> Kind:
        """The InferencePool that the gateway reads."""
        older = self.istio and self.istio.inference_pool_api == INFERENCE_POOL_V1ALPHA2.api_version
        return INFERENCE_POOL_V1ALPHA2 if older else INFERENCE_POOL

    @property
    def inference_pool_apis(self) -> frozenset[str]:
        """Every InferencePool API that a controller here writes or reads."""
        written = self.kserve.pool_apis if self.kserve else ()
        read = (self.istio.inference_pool_api,) if self.istio else ()
        return frozenset((*written, *read))

    @property
    def pickers(self) -> tuple[PickerRelease, ...]:
        """The endpoint picker releases that run here."""
        stacks = {deployment.stack for deployment in self.environment.active}
        releases = [self.picker] if "llm-d" in stacks else []
        if "kserve" in stacks and self.kserve:
            releases.append(catalogue.picker_release(self.kserve.picker))
        return tuple(releases)
