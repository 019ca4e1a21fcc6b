"""Argo CD beside a local control plane, as long as a `with` block lasts."""

import secrets
import subprocess
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import yaml

from llmd_constructs.argocd.applications import FINALIZER
from llmd_tools.argocd import definitions
from llmd_tools.argocd.applications import API_VERSION, KIND, ApplicationState, ObjectReference
from llmd_tools.argocd.programs import Processes
from llmd_tools.argocd.repository import Repository
from llmd_tools.argocd.simulation import Simulation
from llmd_tools.argocd.standstill import Standstill
from llmd_tools.build import tool
from llmd_tools.cluster import ControlPlane, wait_until
from llmd_tools.cluster.api import Object
from llmd_tools.errors import ToolError

_PART_OF = {"app.kubernetes.io/part-of": "argocd"}
_CONFIG_MAPS = (
    "argocd-rbac-cm",
    "argocd-cmd-params-cm",
    "argocd-tls-certs-cm",
    "argocd-ssh-known-hosts-cm",
    "argocd-gpg-keys-cm",
)
_REFRESH = "argocd.argoproj.io/refresh"
_TRACKING = "argocd.argoproj.io/tracking-id"
_EVERY_SECONDS = 1
_KEPT = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
"""Namespaces that are no environment's."""
_NOT_CLEARED = frozenset({"Application", "CustomResourceDefinition"})
_CLEAR_SECONDS = 300
_ALWAYS_LEFT_OUT = {
    # Pods are simulated, so that a webhook would only ever refuse.
    "admissionregistration.k8s.io": ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
    # The server makes one per API; for each Argo CD would read the whole of OpenAPI again, as it does for each CRD.
    "apiregistration.k8s.io": ("APIService",),
}


class ArgoCd:
    """Argo CD's programs, on top of a control plane and of a git repository.

    Attributes:
        repository: What Argo CD reads.
        simulation: What stands in for controllers that do not run here.
    """

    repository: Repository
    simulation: Simulation

    def __init__(
        self,
        cluster: ControlPlane,
        settings: Object,
        *,
        left_out: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Describe it; entering it starts it.

        Args:
            cluster: Where Argo CD runs, and what it deploys to.
            settings: The ConfigMap `argocd-cm`.
            left_out: Kinds by group that Argo CD does not look at, beside those that it never does here: webhook
                configurations, which nobody serves, and APIServices.
        """
        self._left_out = left_out or {}
        self._leaving: set[ObjectReference] = set()
        self._taken_off: set[ObjectReference] = set()
        self._cluster = cluster
        self._settings = settings
        self._namespace: str = settings["metadata"]["namespace"]
        self.repository = Repository(cluster.folder / "git")
        self.simulation = Simulation(cluster)

    def __enter__(self) -> Self:
        self._cluster.install(definitions.argo_cd())
        self._accept(self._objects())
        self._processes = Processes(self._cluster, self._namespace)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to do: the control plane stops all programs together."""

    @property
    def address(self) -> str:
        """Host and port of its server, which asks for no password."""
        return self._processes.address

    def _objects(self) -> list[Object]:
        secret = {
            **self._object("v1", "Secret", "argocd-secret"),
            "stringData": {"server.secretkey": secrets.token_urlsafe(32)},
        }
        namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._namespace}}
        maps = [self._object("v1", "ConfigMap", name) for name in _CONFIG_MAPS]
        return [namespace, self._configuration(), *maps, secret]

    def _configuration(self) -> Object:
        left_out = {**_ALWAYS_LEFT_OUT, **self._left_out}
        exclusions = [{"apiGroups": [group], "kinds": list(kinds)} for group, kinds in left_out.items()]
        data = {**self._settings["data"], "resource.exclusions": yaml.safe_dump(exclusions)}
        return {**self._settings, "data": data}

    def rest(self) -> None:
        """Stop looking at Applications, until `resume`: whatever is done to the cluster stays done."""
        self._processes.stop_controller()

    def resume(self, left_out: Mapping[str, tuple[str, ...]]) -> None:
        """Look at Applications again, with the kinds that the server has by now.

        Args:
            left_out: Kinds by group that Argo CD no longer looks at, in place of those so far.
        """
        self._left_out = left_out
        self._accept([self._configuration()])
        self._processes.start_controller()

    def _object(self, api_version: str, kind: str, name: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": self._namespace, "labels": _PART_OF}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata}

    def _accept(self, objects: list[Object]) -> None:
        if refused := [str(verdict) for verdict in self._cluster.apply(objects) if not verdict.accepted]:
            raise ToolError("\n".join(refused))

    def bootstrap(self, *objects: Object) -> None:
        """Apply by hand what everything else follows from: a project, and its root Application.

        Raises:
            ToolError: If the API server refuses one.
        """
        self._accept(list(objects))

    def commit(self, files: Mapping[str, str | None]) -> None:
        """Commit files (see `Repository.commit`), and let each Application that reads one of them look at once."""
        self.repository.commit(files)
        states = self.applications().values()
        self._refresh(state.name for state in states if any(map(state.reads, files)))

    def _refresh(self, names: Iterable[str]) -> None:
        """Let Applications look at once, instead of when their time comes."""
        for name in names:
            metadata = {"name": name, "namespace": self._namespace, "annotations": {_REFRESH: "normal"}}
            asked: Object = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata}
            self._cluster.apply([asked], field_manager="refresh", validate="Ignore")

    def clear(self) -> None:
        """Delete every Application, and all that Argo CD has deployed but for CRDs: the next environment starts anew.

        Argo CD has to rest, which would bring back what goes. `wait_until_clear` tells when all is gone.
        """
        states = self.applications().values()
        known = self._taken_off.union(*(state.objects for state in states))
        objects, self._taken_off = {each for each in known if each.kind not in _NOT_CLEARED}, set()
        self._drop(states)
        server = self._cluster.server
        namespaces = {each["metadata"]["name"] for each in server.list("v1", "Namespace")}
        doomed = namespaces - _KEPT - {self._namespace}
        self._leaving = {
            each for each in objects if each.namespace not in doomed and each.kind != "Namespace"
        }
        self._leaving |= {ObjectReference("v1", "Namespace", "", name) for name in doomed}
        for each in self._leaving:
            server.delete(each.api_version, each.kind, each.name, each.namespace)

    def take_off(self, root: str) -> None:
        """Delete an environment's root Application as people do, so that it takes along all that it has brought.

        Third-party software goes too, for which its Applications get the finalizer that they lack. The root is let
        go of by itself: Argo CD waits for every object of an Application that is being deleted, and would for this.
        """
        states = self.applications()
        self._taken_off = {each for state in states.values() for each in state.objects}
        server = self._cluster.server
        for name in states:
            finalizers = {"metadata": {"finalizers": [FINALIZER]}}
            server.patch(API_VERSION, KIND, name, self._namespace, finalizers)
        server.delete(API_VERSION, KIND, root, self._namespace)
        annotations = {_TRACKING: None, _REFRESH: "normal"}
        server.patch(API_VERSION, KIND, root, self._namespace, {"metadata": {"annotations": annotations}})

    def wait_until_clear(self) -> None:
        """Wait until nothing is left of what `clear` has deleted.

        Raises:
            ToolError: If something stays.
        """
        wait_until(
            "nothing of the environment is left",
            lambda: not any(map(self.has, self._leaving)),
            programs=self._cluster.programs,
            seconds=_CLEAR_SECONDS,
            every=_EVERY_SECONDS,
        )

    def has(self, each: ObjectReference) -> bool:
        """Whether the cluster has the object."""
        server = self._cluster.server
        return server.serves(each.api_version, each.kind) and (
            server.get(each.api_version, each.kind, each.name, each.namespace) is not None
        )

    def _drop(self, states: Iterable[ApplicationState]) -> None:
        """Delete Applications without their objects."""
        server = self._cluster.server
        for state in states:
            server.patch(API_VERSION, KIND, state.name, self._namespace, {"metadata": {"finalizers": None}})
            server.delete(API_VERSION, KIND, state.name, self._namespace)

    def applications(self) -> dict[str, ApplicationState]:
        """Every Application, by name."""
        found = self._cluster.server.list(API_VERSION, KIND, self._namespace)
        return {each["metadata"]["name"]: ApplicationState.of(each) for each in found}

    def wait(
        self, what: str, done: Callable[[Mapping[str, ApplicationState]], bool], *, seconds: float = 180
    ) -> None:
        """Wait for something about the Applications, while controllers are stood in for.

        Args:
            what: The condition in words.
            done: The condition.
            seconds: How long to wait at most.

        Raises:
            ToolError: If the time is over; the message says how every Application stands.
        """
        standstill = Standstill()

        def ask() -> bool:
            self.simulation.advance()
            states = self.applications()
            if standstill.seen_in(states):
                self._refresh(name for name, state in states.items() if not state.settled)
            return done(states)

        try:
            wait_until(what, ask, programs=self._cluster.programs, seconds=seconds, every=_EVERY_SECONDS)
        except ToolError as error:
            states = "\n".join(f"  {state}" for state in self.applications().values() if not state.settled)
            raise ToolError(f"{error}\n{states}") from error

    def wait_until_settled(self, names: set[str] | None = None, *, seconds: float = 180) -> None:
        """Wait until Applications are Synced and Healthy: those of these names, or however many there are.

        Raises:
            ToolError: If they are not within that time.
        """

        def settled(states: Mapping[str, ApplicationState]) -> bool:
            wanted = states.keys() if names is None else names
            return wanted <= states.keys() and all(states[name].settled for name in wanted)

        self.wait("every application is Synced and Healthy", settled, seconds=seconds)

    def command(self, *arguments: str) -> str:
        """What Argo CD's command line prints, asking the server.

        Raises:
            ToolError: If it fails, with its own words.
        """
        done = subprocess.run(
            [tool("argocd"), *arguments, "--plaintext", "--server", self.address],
            env={"HOME": str(self._cluster.folder), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ToolError(f"argocd {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout
