"""etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok as plain processes on loopback."""

import base64
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from llmd_tools.build import build, module_folder
from llmd_tools.cluster.api import ApiServer, Object, Validation, Verdict
from llmd_tools.cluster.nodes import Node
from llmd_tools.cluster.ports import Ports
from llmd_tools.cluster.process import Network, Program, Programs, wait_until
from llmd_tools.errors import ToolError
from llmd_tools.groups import group
from llmd_tools.schemas import custom_resource_definitions, without_prose

_CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "persistentvolume-binder-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
)
"""Those that work without real nodes; the ones that watch nodes would take the simulated ones for dead."""

_REQUESTS = ("--kube-api-qps=500", "--kube-api-burst=1000")
"""The few requests per second that a controller grants itself are what an empty namespace waits for."""

_STAGES = (
    "node/fast/node-initialize.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)
"""What nodes and pods do, in the words of kwok's own module: at once all that is asked of them."""


class ControlPlane:
    """A control plane for as long as a `with` block lasts.

    Everything is in one temporary folder. When the block ends, all processes have been stopped and the folder is
    removed; if it ends with an error, or `keep` was set, the logs stay and the error names them.

    Attributes:
        folder: The run's folder.
        server: The API server; `apply`, `install_crds` and `create_nodes` are shorthands for it.
        kubeconfig: A kubeconfig file of an administrator.
        programs: The running programs, to which a caller may add its own; all are stopped together.
        ports: Free ports for such programs.
        keep: Keep the logs although all went well.
    """

    folder: Path
    server: ApiServer
    kubeconfig: Path
    programs: Programs
    ports: Ports

    def __init__(self, *, simulate_pods: bool = True, network: Network | None = None) -> None:
        """Describe a control plane; entering it starts it.

        Args:
            simulate_pods: Let kwok run the nodes and pods: a pod that the scheduler has placed is ready at once.
            network: Where its programs run, if not on the machine's own.
        """
        self._network = network
        self.keep = False
        self._simulate_pods = simulate_pods
        self._token = secrets.token_hex(16)
        self._kwok: Program | None = None

    def __enter__(self) -> Self:
        self._bin = build(group("cluster"))
        self.folder = Path(tempfile.mkdtemp(prefix="llmd-cluster-"))
        self.kubeconfig = self.folder / "kubeconfig"
        self._closing = ExitStack()
        self.ports = Ports(self._network)
        self._closing.callback(self.ports.release)
        self.programs = Programs(self.folder, self._network)
        self._closing.callback(self.programs.close)
        try:
            self._start()
        except BaseException as error:
            self._stop(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop(error)

    def _stop(self, error: BaseException | None) -> None:
        self._closing.close()
        if (error is None or isinstance(error, KeyboardInterrupt)) and not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for path in self.folder.iterdir():
            if path.is_dir() and path != self.programs.logs:
                shutil.rmtree(path, ignore_errors=True)
            elif path.is_file():
                path.unlink()
        if error is not None:
            error.add_note(f"logs of the local control plane: {self.programs.logs}")

    def kubectl(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """What kubectl prints, as an administrator of this cluster.

        Raises:
            ToolError: If it fails, with its own words.
        """
        done = subprocess.run(
            [str(self._bin / "kubectl"), "--kubeconfig", str(self.kubeconfig), *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ToolError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def apply(
        self,
        objects: Iterable[Object],
        *,
        field_manager: str = "llmd",
        validate: Validation = "Strict",
        dry_run: bool = False,
    ) -> list[Verdict]:
        """Server-side apply objects in the order given; see `ApiServer.apply`."""
        return self.server.apply(objects, field_manager=field_manager, validate=validate, dry_run=dry_run)

    def install_crds(self, files: Iterable[Path]) -> list[str]:
        """Create the CRDs in some files; see `install`."""
        return self.install(crd for file in files for crd in custom_resource_definitions(file))

    def install(self, definitions: Iterable[Object]) -> list[str]:
        """Create CRDs, less their prose, and wait until the server serves them.

        One that is there under that name stays as it is.

        Returns:
            The names of the CRDs.

        Raises:
            ToolError: If the server refuses one, or does not serve it within three minutes.
        """
        crds = [without_prose(each) for each in definitions]
        for crd in crds:  # to apply them would take the server twice as long
            self.server.create(crd)
        waiting = [
            (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"])
            for crd in crds
            for version in crd["spec"]["versions"]
            if version["served"]
        ]
        wait_until(
            "the server serves the kinds of all CRDs",
            lambda: all(self.server.serves(*kind) for kind in waiting),
            programs=self.programs,
            seconds=180,
        )
        return sorted({crd["metadata"]["name"] for crd in crds})

    def uninstall(self, names: Iterable[str]) -> None:
        """Delete CRDs, with every object of their kinds, and wait until they are gone."""
        api = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        gone = list(names)
        for name in gone:
            self.server.delete(*api, name)
        wait_until(
            "the CRDs are gone",
            lambda: not any(self.server.get(*api, name) for name in gone),
            programs=self.programs,
            seconds=180,
        )
        self.server.forget()

    def create_nodes(self, nodes: Iterable[Node]) -> None:
        """Create nodes, and wait until kwok, if it runs, has made them ready.

        Raises:
            ToolError: If the server refuses one.
        """
        verdicts = self.apply([node.manifest() for node in nodes])
        if refused := [str(verdict) for verdict in verdicts if not verdict.accepted]:
            raise ToolError("\n".join(refused))
        names = {verdict.name for verdict in verdicts}
        if self._kwok is not None:
            wait_until("nodes are ready", lambda: names <= self.ready_nodes(), programs=self.programs)

    def ready_nodes(self) -> set[str]:
        """The names of the nodes that are ready."""
        return {
            node["metadata"]["name"]
            for node in self.server.list("v1", "Node")
            for condition in node["status"].get("conditions", [])
            if (condition["type"], condition["status"]) == ("Ready", "True")
        }

    def simulate(self, *stages: Path) -> None:
        """Let kwok play nodes and pods, and what these files of kwok Stages say, from now on.

        The kinds that the stages are about must be installed. A kwok that runs is replaced.
        """
        if self._kwok is not None:
            self.programs.stop(self._kwok)
        source = module_folder(group("cluster"), "sigs.k8s.io/kwok") / "kustomize" / "stage"
        files = [*(source / name for name in _STAGES), *stages]
        self._kwok = self.programs.start(
            "kwok",
            [
                self._bin / "kwok",
                f"--kubeconfig={self.kubeconfig}",
                "--manage-all-nodes",
                "--node-ip=127.0.0.1",
                "--cidr=10.244.0.0/16",
                "--server-address=",
                *(f"--config={file}" for file in files),
            ],
        )

    def _start(self) -> None:
        self._start_api_server()
        certificate = self.certificates / "apiserver.crt"
        wait_until("kube-apiserver writes its certificate", certificate.is_file, programs=self.programs)
        self.server = ApiServer(self._url, self._token, str(certificate))
        self._closing.callback(self.server.close)
        wait_until("kube-apiserver is ready", self.server.ready, programs=self.programs)
        self._write_kubeconfig(certificate)
        self._start_controllers()
        if self._simulate_pods:
            self.simulate()
        wait_until(
            "the default service account exists",
            lambda: self.server.get("v1", "ServiceAccount", "default", "default") is not None,
            programs=self.programs,
        )

    @property
    def certificates(self) -> Path:
        """The folder with `apiserver.crt` and `apiserver.key`, good for 127.0.0.1: webhooks may serve with them too."""
        return self.folder / "certificates"

    def _start_api_server(self) -> None:
        etcd, peer, port = (self.ports.take() for _ in range(3))
        self._url = f"https://127.0.0.1:{port}"
        self.programs.start(
            "etcd",
            [
                self._bin / "etcd",
                f"--data-dir={self.folder / 'etcd'}",
                "--unsafe-no-fsync",
                f"--listen-client-urls=http://127.0.0.1:{etcd}",
                f"--advertise-client-urls=http://127.0.0.1:{etcd}",
                f"--listen-peer-urls=http://127.0.0.1:{peer}",
                "--log-level=warn",
            ],
        )
        tokens = self.folder / "tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f"{self._token},admin,admin,system:masters\n")
        key = self.certificates / "apiserver.key"
        self.programs.start(
            "kube-apiserver",
            [
                self._bin / "kube-apiserver",
                f"--etcd-servers=http://127.0.0.1:{etcd}",
                f"--cert-dir={self.certificates}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                f"--secure-port={port}",
                "--service-cluster-ip-range=10.96.0.0/16",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={key}",  # the server has just made it; one key serves both
                f"--service-account-signing-key-file={key}",
                f"--token-auth-file={tokens}",
                "--authorization-mode=RBAC",
                "--allow-privileged",
                "--profiling=false",
                "--endpoint-reconciler-type=none",
                "--disable-admission-plugins=TaintNodesByCondition",  # its taint is taken off by a controller we lack
            ],
            {"GOGC": "200"},  # less time for somewhat more memory
        )

    def _write_kubeconfig(self, certificate: Path) -> None:
        authority = base64.b64encode(certificate.read_bytes()).decode()
        config: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "local", "cluster": {"server": self._url, "certificate-authority-data": authority}}
            ],
            "users": [{"name": "admin", "user": {"token": self._token}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "admin"}}],
            "current-context": "local",
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(config))

    def _start_controllers(self) -> None:
        credentials = [
            f"--{purpose}kubeconfig={self.kubeconfig}"
            for purpose in ("", "authentication-", "authorization-")
        ]
        self.programs.start(
            "kube-controller-manager",
            [
                self._bin / "kube-controller-manager",
                *credentials,
                "--bind-address=127.0.0.1",
                f"--secure-port={self.ports.take()}",
                "--leader-elect=false",
                *_REQUESTS,
                f"--service-account-private-key-file={self.certificates / 'apiserver.key'}",
                f"--root-ca-file={self.certificates / 'apiserver.crt'}",
                "--profiling=false",
                f"--controllers={','.join(_CONTROLLERS)}",
            ],
        )
        self.programs.start(
            "kube-scheduler",
            [
                self._bin / "kube-scheduler",
                *credentials,
                "--bind-address=127.0.0.1",
                f"--secure-port={self.ports.take()}",
                "--leader-elect=false",
            ],
        )
