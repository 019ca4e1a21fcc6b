"""What runs in the box in place of what an environment names, in words for its user."""

from collections.abc import Iterator

from llmd_constructs.catalogue import kserve_release, picker_release
from llmd_tools.box import istio, opendatahub
from llmd_tools.build import versions
from llmd_tools.cluster import ControlPlane
from llmd_tools.crds import crd_files
from llmd_tools.errors import ToolError
from llmd_tools.groups import group
from llmd_tools.judges.crd_sets import kserve_set, pool_sets
from llmd_tools.judges.picker import RELEASE
from llmd_tools.judges.rendered import Rendered

_KSERVE = "github.com/kserve/kserve"
_RBAC = "rbac.authorization.k8s.io"
_ROLE = "newer-endpoint-picker"


def notes(environment: Rendered) -> Iterator[str]:
    """One line for each program that is another than the environment names, or does not do all that it would.

    Args:
        environment: What is going to run.
    """
    for control_plane in environment.of_kind("Istio"):
        yield from _instead("Istio", control_plane["spec"]["version"], f"v{istio.version()}")
    platform = environment.plan.environment.platform
    if platform.kserve:
        runs = versions(group(kserve_set(opendatahub.stand_in(environment).plan) or ""))[_KSERVE]
        if not runs.startswith(f"v{platform.kserve}."):
            yield f"in place of KServe {platform.kserve}: upstream's {runs}"
    yield from _instead("the endpoint picker", _picker(environment), RELEASE)
    if not environment.of_kind("Istio"):
        yield "in place of GKE's gateway: a stand-in that does what GKE supports, and refuses the rest"
    if environment.of_kind("HorizontalPodAutoscaler"):
        yield "nobody measures load: autoscalers keep the least replicas"
    if environment.of_kind("NetworkPolicy"):
        yield "NetworkPolicies are applied, and nobody enforces them"


def let_picker_read(cluster: ControlPlane, environment: Rendered) -> None:
    """Let pickers read what the release that runs reads, where an environment names one that reads less.

    Args:
        cluster: Where they are going to run.
        environment: Whose roles are made for the release that it names.

    Raises:
        ToolError: If the API server refuses it.
    """
    missing = set(picker_release(RELEASE).rbac) - set(picker_release(_picker(environment)).rbac)
    if not missing:
        return
    cluster.install_crds(crd_files(*pool_sets(None)))
    rules = [
        {"apiGroups": [each.group], "resources": list(each.resources), "verbs": ["get", "list", "watch"]}
        for each in missing
    ]
    accounts = [{"apiGroup": _RBAC, "kind": "Group", "name": "system:serviceaccounts"}]
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": _ROLE}
    common = {"apiVersion": f"{_RBAC}/v1", "metadata": {"name": _ROLE}}
    verdicts = cluster.apply(
        [
            {**common, "kind": "ClusterRole", "rules": rules},
            {**common, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": accounts},
        ]
    )
    if refused := [str(each) for each in verdicts if not each.accepted]:
        raise ToolError("\n".join(refused))


def _picker(environment: Rendered) -> str:
    """The release of the picker that an environment names, or that its KServe starts."""
    platform = environment.plan.environment.platform
    return kserve_release(platform.kserve).picker if platform.kserve else platform.picker


def _instead(what: str, named: str, runs: str) -> Iterator[str]:
    if named != runs:
        yield f"in place of {what} {named}: {runs}"
