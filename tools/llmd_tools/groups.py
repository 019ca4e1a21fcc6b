"""Which programs there are, and which Go module pins each.

A group is one Go module below `tools/go/`. Groups are kept apart so that a test builds only what it runs, and so
that programs that need different versions of Kubernetes' libraries do not meet. `checks`, `cluster` and `argocd`
hold the same version of every module they share: Go's own build cache then compiles a shared package once, which
makes three modules as cheap as one.
"""

from dataclasses import dataclass, field
from pathlib import Path

from llmd_tools.errors import ToolError

GO_MODULES = Path(__file__).parent.parent / "go"
"""The folder with one `go.mod` and `go.sum` per group."""


@dataclass(frozen=True)
class Stamp:
    """A version that the linker writes into a program, taken from the pin in `go.mod`.

    Attributes:
        symbol: The Go variable.
        module: The module whose pinned version is written.
        form: How it is written: `{version}` is `v1.36.1`, `{number}` is `1.36.1`, `{major}` and `{minor}` its parts.
    """

    symbol: str
    module: str
    form: str = "{version}"


@dataclass(frozen=True)
class Group:
    """One Go module and the programs built from it.

    Attributes:
        name: The folder below `tools/go/`.
        purpose: What the programs are for, in a few words.
        tools: Name of the program to its Go package.
        stamps: Versions written into the programs.
    """

    name: str
    purpose: str
    tools: dict[str, str]
    stamps: tuple[Stamp, ...] = field(default=())

    @property
    def folder(self) -> Path:
        """The folder of the group's `go.mod`."""
        return GO_MODULES / self.name


_KUBERNETES = tuple(
    Stamp(f"k8s.io/component-base/version.{name}", "k8s.io/kubernetes", form)
    for name, form in (("gitVersion", "{version}"), ("gitMajor", "{major}"), ("gitMinor", "{minor}"))
)

GROUPS = (
    Group(
        "checks",
        "schemas and comparison renderers",
        {
            "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform",
            "helm": "helm.sh/helm/v4/cmd/helm",
            "kustomize": "sigs.k8s.io/kustomize/kustomize/v5",
            "jsonnet": "github.com/google/go-jsonnet/cmd/jsonnet",
        },
    ),
    Group(
        "cluster",
        "a Kubernetes control plane",
        {
            "etcd": "go.etcd.io/etcd/server/v3",
            "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
            "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
            "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
            "kubectl": "k8s.io/kubernetes/cmd/kubectl",
            "kwok": "sigs.k8s.io/kwok/cmd/kwok",
        },
        (*_KUBERNETES, Stamp("sigs.k8s.io/kwok/pkg/consts.Version", "sigs.k8s.io/kwok")),
    ),
    Group(
        "argocd",
        "Argo CD: server, repo-server, controllers and command line in one program",
        {"argocd": "github.com/argoproj/argo-cd/v3/cmd"},
        (
            Stamp(
                "github.com/argoproj/argo-cd/v3/common.version", "github.com/argoproj/argo-cd/v3", "{number}"
            ),
            Stamp("k8s.io/component-base/version.gitVersion", "k8s.io/api", "v1.{minor}.{patch}"),
        ),
    ),
    Group(
        "helm3",
        "Helm 3, for charts and users that stay on it",
        {"helm3": "helm.sh/helm/v3/cmd/helm"},
        # Without it charts are rendered as for Kubernetes 1.20; Helm 4 finds it out by itself.
        tuple(
            Stamp(f"helm.sh/helm/v3/pkg/{package}.k8sVersion{part}", "k8s.io/client-go", form)
            for package in ("chartutil", "lint/rules")
            for part, form in (("Major", "1"), ("Minor", "{minor}"))
        ),
    ),
    Group("registry", "an OCI registry", {"registry": "github.com/google/go-containerregistry/cmd/registry"}),
    Group("picker", "llm-d's endpoint picker", {"endpoint-picker": "github.com/llm-d/llm-d-router/cmd/epp"}),
    Group(
        "istio",
        "Istio's control plane and the agent that runs beside Envoy",
        {
            "pilot-discovery": "istio.io/istio/pilot/cmd/pilot-discovery",
            "pilot-agent": "istio.io/istio/pilot/cmd/pilot-agent",
        },
        # Istio's module has no version tags; its API's version is the release that it is built for.
        (Stamp("istio.io/istio/pkg/version.buildVersion", "istio.io/api", "{number}"),),
    ),
    Group(
        "simulator",
        "llm-d's simulator of vLLM",
        {"llm-d-inference-sim": "github.com/llm-d/llm-d-inference-sim/cmd/llm-d-inference-sim"},
    ),
    Group(
        "sidecar",
        "llm-d's routing sidecar, which runs prefill before decode",
        {"pd-sidecar": "github.com/llm-d/llm-d-router/cmd/pd-sidecar"},
    ),
    Group(
        "body-router",
        "the inference extension's body-based router",
        {"body-based-router": "sigs.k8s.io/gateway-api-inference-extension/cmd/bbr"},
    ),
    *(
        Group(
            f"kserve-{release}",
            f"the LLMInferenceService controller and webhooks of KServe {release}",
            {f"llmisvc-{release}": "github.com/kserve/kserve/cmd/llmisvc"},
        )
        for release in ("0.16", "0.17", "0.19", "0.20")
    ),
)
"""Every group there is."""


def group(name: str) -> Group:
    """The group of this name.

    Raises:
        ToolError: If there is none; the message lists those there are.
    """
    for each in GROUPS:
        if each.name == name:
            return each
    raise ToolError(f"no group {name!r}; there are {', '.join(each.name for each in GROUPS)}")


def group_of(tool: str) -> Group:
    """The group that builds this program.

    Raises:
        ToolError: If no group does; the message lists the programs there are.
    """
    for each in GROUPS:
        if tool in each.tools:
            return each
    known = ", ".join(name for each in GROUPS for name in each.tools)
    raise ToolError(f"no tool {tool!r}; there are {known}")
