"""A script per environment that asks the live project what no file can tell. It reads, and changes nothing.

Source: failures of class P in the domain research; GKE Inference Gateway, Cloud TPU and Argo CD documentation.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from llmd_constructs.addons.autoscaling import METRICS_ADAPTER, METRICS_ADAPTER_NAMESPACE, METRICS_APIS
from llmd_constructs.catalogue import GitSource
from llmd_constructs.config.cluster import Cluster
from llmd_constructs.context import Context
from llmd_constructs.emit.tree import GENERATED_HEADER
from llmd_constructs.patterns.demand import node_demand
from llmd_constructs.patterns.scaling import autoscales
from llmd_constructs.plan.model import EnvironmentPlan
from llmd_constructs.platform.gateway import gateway_class
from llmd_constructs.reports.node_pools import creation
from llmd_constructs.rules.reading import all_texts, text
from llmd_constructs.serving.placement import GKE_NODE_POOL, place

NETWORKING = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/deploying-gateways"


@dataclass(frozen=True)
class Check:
    """One question to the project or the cluster."""

    id: str
    """Stable; several checks of one kind share it."""
    title: str
    command: tuple[str, ...]
    """Reads only. What it prints holds no secret."""
    wanted: str
    """Extended regular expression that a line of the answer has to match."""
    mend: str
    """A command, or a sentence."""
    least: int | None = None
    """Set where the answer is a number: it has to be this much or more, and `wanted` stands before it on its line."""


def checks(plan: EnvironmentPlan) -> tuple[Check, ...]:
    """Every check that the environment needs, in the order to mend them."""
    context = Context(plan.name, plan.environment)
    parts = (
        _access,
        _services,
        _cluster,
        _gateway,
        _nodes,
        _quotas,
        _network_policies,
        partial(_secrets, plan),
        _argocd,
    )
    return (*(check for part in parts for check in part(context)), *_monitoring(plan), *_autoscaling(context))


def preflight_script(plan: EnvironmentPlan) -> str:
    """The script as text."""
    calls = "\n".join(_call(check) for check in checks(plan))
    return f"""#!/usr/bin/env bash
{GENERATED_HEADER.strip()} Source: environments/{plan.name}.yaml
# Asks the project and the cluster of {plan.name} what no file can tell. It reads, and changes nothing.
# Needs gcloud and kubectl, both logged in. Exit code 1 if a check fails.
{_FUNCTIONS}
{calls}

printf '\\n%d passed, %d failed\\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
"""


_FUNCTIONS = r"""
set -uo pipefail
export CLOUDSDK_CORE_DISABLE_PROMPTS=1 LC_ALL=C
passed=0
failed=0

# ran WORDS...: the command as one can type it.
ran() { printf '%q ' "$@"; }

# report ID TITLE MEND STATUS ANSWER COMMAND...
report() {
  local id=$1 title=$2 mend=$3 status=$4 answer=$5
  shift 5
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
    printf 'PASS %s  %s\n' "$id" "$title"
    return
  fi
  failed=$((failed + 1))
  printf 'FAIL %s  %s\n' "$id" "$title"
  printf '     ran:  %s\n' "$(ran "$@")"
  printf '     got:  %s\n' "$(printf '%s' "${answer:-nothing}" | head -n 3 | tr '\n' ' ' | cut -c 1-300)"
  printf '     mend: %s\n' "$mend"
}

# check ID TITLE MEND WANTED COMMAND...: a line of the answer matches WANTED.
check() {
  local id=$1 title=$2 mend=$3 wanted=$4 answer status=1
  shift 4
  answer=$("$@" 2>&1) && grep -Eq -- "$wanted" <<<"$answer" && status=0
  report "$id" "$title" "$mend" "$status" "$answer" "$@"
}

# at_least ID TITLE MEND BEFORE NUMBER COMMAND...: on a line with BEFORE, a number after it is NUMBER or more.
at_least() {
  local id=$1 title=$2 mend=$3 before=$4 least=$5 answer found status=1
  shift 5
  if answer=$("$@" 2>&1); then
    found=$(printf '%s\n' "$answer" | sed -En "s/$before//p" | grep -Eo '[0-9]+' | sort -n | tail -n 1)
    [ -n "$found" ] && [ "$found" -ge "$least" ] && status=0
  fi
  report "$id" "$title" "$mend" "$status" "$answer" "$@"
}
"""


def _call(check: Check) -> str:
    """The call of one check: name, remedy, what is wanted, and the command, each on its own line."""
    function = "check" if check.least is None else "at_least"
    wanted = (check.wanted,) if check.least is None else (check.wanted, str(check.least))
    lines = ((function, check.id, check.title), (check.mend,), wanted, check.command)
    return " \\\n  ".join(shlex.join(line) for line in lines)


def _describe(cluster: Cluster, field: str) -> tuple[str, ...]:
    return (
        *("gcloud", "container", "clusters", "describe", cluster.name),
        *("--project", cluster.project, "--location", cluster.location, "--format", f"value({field})"),
    )


def _access(context: Context) -> Iterator[Check]:
    cluster = context.environment.cluster
    named = f"gke_{cluster.project}_{cluster.location}_{cluster.name}"
    login = f"gcloud container clusters get-credentials {cluster.name} --location {cluster.location}"
    yield Check(
        "PRE-01",
        "the cluster is there and runs",
        _describe(cluster, "status"),
        "^RUNNING$",
        "make the cluster, or correct cluster.name, project and location",
    )
    yield Check(
        "PRE-02",
        "kubectl talks to this cluster, and to no other",
        ("kubectl", "config", "view", "--minify", "-o", "jsonpath={.contexts[0].context.cluster}"),
        f"^{named}$",
        f"{login} --project {cluster.project}",
    )


def _services(context: Context) -> Iterator[Check]:
    project = context.environment.cluster.project
    wanted = ["container.googleapis.com", "compute.googleapis.com"]
    if context.environment.platform.gateway.provider == "gke":
        wanted.append("networkservices.googleapis.com")
    if context.environment.platform.secrets.provider == "external-secrets":
        wanted.append("secretmanager.googleapis.com")
    for service in wanted:
        yield Check(
            "PRE-03",
            f"the API {service} is enabled",
            (
                *("gcloud", "services", "list", "--enabled", "--project", project),
                *("--filter", f"config.name={service}", "--format", "value(config.name)"),
            ),
            f"^{_exact(service)}$",
            f"gcloud services enable {service} --project {project}",
        )


def _cluster(context: Context) -> Iterator[Check]:
    cluster = context.environment.cluster
    update = f"gcloud container clusters update {cluster.name} --location {cluster.location}"
    yield Check(
        "PRE-04",
        f"the control plane runs Kubernetes {cluster.minor}",
        _describe(cluster, "currentMasterVersion"),
        rf"^{_exact(cluster.minor)}\.",
        "correct cluster.kubernetes, or upgrade the control plane",
    )
    yield Check(
        "PRE-05",
        "Gateway API is switched on",
        _describe(cluster, "networkConfig.gatewayApiConfig.channel"),
        "^CHANNEL_STANDARD$",
        f"{update} --gateway-api=standard; classes appear within 45 minutes",
    )
    yield Check(
        "PRE-06",
        "the cluster is VPC-native",
        _describe(cluster, "ipAllocationPolicy.useIpAliases"),
        "^True$",
        "make a new cluster with --enable-ip-alias; an old one cannot be changed",
    )
    scales = any(autoscales(deployment) for deployment in context.environment.active)
    secrets = context.environment.platform.secrets.provider == "external-secrets"
    readers = [*(["secrets"] if secrets else []), *(["metrics"] if scales else [])]
    if readers:
        yield Check(
            "PRE-07",
            f"Workload Identity is on, with which {' and '.join(readers)} are read",
            _describe(cluster, "workloadIdentityConfig.workloadPool"),
            rf"^{_exact(cluster.project)}\.svc\.id\.goog$",
            f"{update} --workload-pool={cluster.project}.svc.id.goog",
        )


def _gateway(context: Context) -> Iterator[Check]:
    cluster, gateway = context.environment.cluster, context.environment.platform.gateway
    if gateway.provider != "gke":
        return
    name = gateway_class(gateway)
    update = f"gcloud container clusters update {cluster.name} --location {cluster.location}"
    yield Check(
        "PRE-08",
        "the controller of load balancers is on",
        _describe(cluster, "addonsConfig.httpLoadBalancing.disabled.yesno(yes=off, no=on)"),
        "^on$",
        f"{update} --update-addons=HttpLoadBalancing=ENABLED",
    )
    yield Check(
        "PRE-09",
        f"the class {name} is accepted",
        (
            *("kubectl", "get", "gatewayclass", name, "-o"),
            'jsonpath={.status.conditions[?(@.type=="Accepted")].status}',
        ),
        "^True$",
        f"switch Gateway API on (PRE-05), and wait; see {NETWORKING}",
    )
    subnet = cluster.network.proxy_only_subnet
    yield Check(
        "PRE-10",
        f"region {cluster.region} has an active proxy-only subnet" + (f" {subnet}" if subnet else ""),
        (
            *("gcloud", "compute", "networks", "subnets", "list", "--project", cluster.project),
            *("--filter", f"region:{cluster.region} AND purpose=REGIONAL_MANAGED_PROXY AND role=ACTIVE"),
            *("--format", "value(ipCidrRange)"),
        ),
        f"^{_exact(str(subnet))}$" if subnet else r"^[0-9.]+/[0-9]+$",
        f"gcloud compute networks subnets create proxy-only --project {cluster.project} --region {cluster.region} "
        f"--network NETWORK --purpose REGIONAL_MANAGED_PROXY --role ACTIVE --range {subnet or '192.168.0.0/23'}",
    )


def _nodes(context: Context) -> Iterator[Check]:
    environment = context.environment
    cluster = environment.cluster
    for pool in cluster.node_pools:
        yield Check(
            "PRE-11",
            f"the node pool {pool.name} has machines of type {pool.machine_type}",
            _node_pool(cluster, pool.name, "config.machineType"),
            f"^{_exact(pool.machine_type)}$",
            f"{creation(cluster, pool)}; or correct cluster.nodePools",
        )
    for name, nodes in node_demand(environment).items():
        pool = environment.node_pool(name)
        placement = place(pool)
        yield Check(
            "PRE-12",
            f"the node pool {name} may grow to {nodes} node{'' if nodes == 1 else 's'}",
            _node_pool(
                cluster, name, "autoscaling.totalMaxNodeCount,autoscaling.maxNodeCount,initialNodeCount"
            ),
            "^",
            f"gcloud container node-pools update {name} --cluster {cluster.name} --location {cluster.location} "
            f"--enable-autoscaling --max-nodes {pool.max_nodes}",
            least=nodes,
        )
        label, value = placement.accelerator.node_label_key, placement.accelerator.node_label_value
        yield Check(
            "PRE-13",
            f"nodes of {name}, where there are any, carry {label}={value}",
            (
                *("kubectl", "get", "nodes", "-l", f"{GKE_NODE_POOL}={name},{label}!={value}", "-o"),
                "jsonpath=other:{.items[*].metadata.name}",
            ),
            "^other:$",
            "correct machine type or accelerator of the node pool",
        )
        yield Check(
            "PRE-14",
            f"{cluster.location} offers {pool.machine_type}",
            (
                *("gcloud", "compute", "machine-types", "list", "--project", cluster.project, "--filter"),
                *(f"name={pool.machine_type} AND zone~^{cluster.location}", "--format", "value(name)"),
            ),
            f"^{_exact(pool.machine_type)}$",
            "choose a zone that offers it; Cloud TPU and GKE do not offer the same zones",
        )


def _node_pool(cluster: Cluster, name: str, fields: str) -> tuple[str, ...]:
    return (
        *("gcloud", "container", "node-pools", "describe", name, "--cluster", cluster.name),
        *("--project", cluster.project, "--location", cluster.location, "--format", f"value({fields})"),
    )


def _quotas(context: Context) -> Iterator[Check]:
    environment = context.environment
    cluster = environment.cluster
    chips: dict[str, int] = {}
    for name, nodes in node_demand(environment).items():
        placement = place(environment.node_pool(name))
        metric = placement.accelerator.quota_metric
        chips[metric] = chips.get(metric, 0) + nodes * placement.chips_per_node
    for metric, needed in chips.items():
        yield Check(
            "PRE-15",
            f"the quota {metric} in {cluster.region} is {needed} or more",
            *_quota(cluster, metric),
            "ask for more under IAM & Admin, Quotas; a node pool on Spot VMs needs the preemptible quota instead",
            least=needed,
        )
    if environment.platform.gateway.provider == "gke":
        yield Check(
            "PRE-16",
            f"the quota IN_USE_ADDRESSES in {cluster.region} leaves room for a load balancer",
            *_quota(cluster, "IN_USE_ADDRESSES"),
            "release addresses, or ask for more under IAM & Admin, Quotas",
            least=1,
        )


def _quota(cluster: Cluster, metric: str) -> tuple[tuple[str, ...], str]:
    """Command, and what stands before the limit. Quotas by family are not in the old list of a region."""
    if "_FAMILY" in metric:
        quota = f"{metric.replace('_', '-')}-per-project-region"
        fields = "dimensionsInfos.applicableLocations.list(),dimensionsInfos.details.value"
        command = (
            *("gcloud", "beta", "quotas", "info", "describe", quota, "--service", "compute.googleapis.com"),
            *("--project", cluster.project, "--flatten", "dimensionsInfos[]", "--format", f"value({fields})"),
        )
        return command, f"^.*{_exact(cluster.region)}"
    command = (
        *("gcloud", "compute", "regions", "describe", cluster.region, "--project", cluster.project),
        *("--flatten", "quotas[]", "--format", "csv[no-heading](quotas.metric,quotas.limit)"),
    )
    return command, f"^{metric},"


def _network_policies(context: Context) -> Iterator[Check]:
    if not context.environment.platform.network_policies:
        return
    cluster = context.environment.cluster
    yield Check(
        "PRE-17",
        "network policies are enforced",
        _describe(cluster, "networkConfig.datapathProvider,networkPolicy.enabled"),
        r"ADVANCED_DATAPATH|(^|[[:space:]])True([[:space:]]|$)",
        "make the cluster with --enable-dataplane-v2; switching Calico on recreates all nodes",
    )


def _secrets(plan: EnvironmentPlan, context: Context) -> Iterator[Check]:
    environment = context.environment
    secrets, project = environment.platform.secrets, environment.cluster.project
    token, pull = secrets.hugging_face_token, secrets.image_pull_secret
    wanted = [(token.name, token.key, token.remote_key)]
    if pull:
        wanted.append((pull.name, ".dockerconfigjson", pull.remote_key))
    for name, key, remote in wanted:
        if secrets.provider == "external-secrets":
            stored = remote or name
            yield Check(
                "PRE-18",
                f"Secret Manager has a version of {stored}",
                (
                    *("gcloud", "secrets", "versions", "list", stored, "--project", project),
                    *("--filter", "state=ENABLED", "--limit", "1", "--format", "value(state)"),
                ),
                "^(ENABLED|enabled)$",
                f"gcloud secrets create {stored} --project {project} --data-file=FILE",
            )
            continue
        for namespace in _readers(plan, name):
            yield Check(
                "PRE-18",
                f"the Secret {name} in {namespace} has the key {key}",
                (
                    *("kubectl", "get", "secret", name, "-n", namespace, "-o"),
                    r'go-template={{range $key, $value := .data}}{{$key}}{{"\n"}}{{end}}',
                ),
                f"^{_exact(key)}$",
                f"kubectl create secret generic {name} -n {namespace} --from-file={key}=FILE",
            )


def _readers(plan: EnvironmentPlan, secret: str) -> list[str]:
    """Namespaces of models in which an object names a Secret: a variable, a volume or a ServiceAccount."""
    naming = {
        text(file.manifest, "metadata", "namespace")
        for file in plan.files
        if secret in all_texts(file.manifest)
    }
    return [namespace for namespace in plan.environment.namespaces if namespace in naming]


def _argocd(context: Context) -> Iterator[Check]:
    namespace = context.environment.gitops.namespace
    yield Check(
        "PRE-19",
        "Argo CD is installed",
        ("kubectl", "get", "crd", "applications.argoproj.io", "-o", "jsonpath={.metadata.name}"),
        r"^applications\.argoproj\.io$",
        "install Argo CD, or check from the cluster that it runs on",
    )
    account = f"system:serviceaccount:{namespace}:argocd-application-controller"
    yield Check(
        "PRE-20",
        "Argo CD may create cluster roles",
        ("kubectl", "auth", "can-i", "create", "clusterroles", "--as", account),
        "^yes$",
        "give its application controller cluster-admin, or the rights of everything that it deploys",
    )
    kserve = context.kserve
    if kserve and any(isinstance(install, GitSource) and not install.include for install in kserve.install):
        yield Check(
            "PRE-21",
            "Argo CD brings a Kustomize that renders KServe",
            (
                *("kubectl", "get", "deployment", "argocd-repo-server", "-n", namespace, "-o"),
                "jsonpath={.spec.template.spec.containers[0].image}",
            ),
            r":v(3\.([5-9]|[1-9][0-9])|[4-9]|[1-9][0-9])(\.|$)",
            "upgrade Argo CD to 3.5: Kustomize 5.5 to 5.7, which 3.1 has, crashes on the folder of KServe",
        )


def _monitoring(plan: EnvironmentPlan) -> Iterator[Check]:
    if any(file.manifest["kind"] == "PodMonitoring" for file in plan.files):
        cluster = plan.environment.cluster
        yield Check(
            "PRE-22",
            "managed collection of metrics is on",
            _describe(cluster, "monitoringConfig.managedPrometheusConfig.enabled"),
            "^True$",
            f"gcloud container clusters update {cluster.name} --location {cluster.location} --enable-managed-prometheus",
        )


def _autoscaling(context: Context) -> Iterator[Check]:
    cluster = context.environment.cluster
    if not any(autoscales(deployment) for deployment in context.environment.active):
        return
    account = f"ns/{METRICS_ADAPTER_NAMESPACE}/sa/{METRICS_ADAPTER}"
    pool = f"workloadIdentityPools/{cluster.project}.svc.id.goog"
    number = f"$(gcloud projects describe {cluster.project} --format 'value(projectNumber)')"
    yield Check(
        "PRE-23",
        "the metrics adapter may read metrics, which autoscalers follow",
        (
            *("gcloud", "projects", "get-iam-policy", cluster.project, "--flatten", "bindings[].members"),
            *("--filter", "bindings.role=roles/monitoring.viewer", "--format", "value(bindings.members)"),
        ),
        f"/{_exact(pool)}/subject/{account}$",
        f"gcloud projects add-iam-policy-binding {cluster.project} --role roles/monitoring.viewer --member "
        f'"principal://iam.googleapis.com/projects/{number}/locations/global/{pool}/subject/{account}"',
    )
    owners = " ".join(
        f'{{.items[?(@.spec.group=="{group}")].spec.service.namespace}}' for group in METRICS_APIS
    )
    yield Check(
        "PRE-24",
        "no other adapter answers for metrics, such as KEDA's or Prometheus'",
        ("kubectl", "get", "apiservices", "-o", f"jsonpath=in:{owners}"),
        f"^in:( |{METRICS_ADAPTER_NAMESPACE})*$",
        f"remove what owns the APIServices of {' and '.join(METRICS_APIS)}, or leave autoscaling out: "
        "a cluster has one of them",
    )
    yield Check(
        "PRE-25",
        "nothing collects the metrics of a model server twice, which would double its queue",
        _describe(cluster, "monitoringConfig.managedPrometheusConfig.autoMonitoringConfig.scope"),
        "^(NONE)?$",
        f"gcloud container clusters update {cluster.name} --location {cluster.location} --auto-monitoring-scope=NONE",
    )


def _exact(words: str) -> str:
    """The words as a regular expression that matches nothing else."""
    return words.replace(".", r"\.")
