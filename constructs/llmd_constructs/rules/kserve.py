"""KServe: what its webhook, its presets and its controller make of an LLMInferenceService."""

from collections.abc import Iterator

from llmd_constructs.catalogue import KServeRelease
from llmd_constructs.manifest import JsonObject
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.reading import dig, entries, labels, mapping, number, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.routing import writes_own_route
from llmd_constructs.rules.view import View, makes_pool
from llmd_constructs.serving.kserve_names import KServeNames

LONGEST_CHILD = 63
WELL_KNOWN = "serving.kserve.io/well-known-config"
_VALIDATOR = "kserve pkg/apis/serving/v1alpha1/llminferenceservice_validator.go"
_MERGE = "kserve pkg/controller/llmisvc/config_merge.go"


@rule(
    "KSV-01",
    "KServe runs where an LLMInferenceService is",
    symptom='The sync fails: no matches for kind "LLMInferenceService" in version "serving.kserve.io/…".',
    cause="No release is installed, or it serves another version; upstream 0.15 has no LLMInferenceService at all.",
    instead="set platform.kserve, and write the version that it serves",
    source=("F-46", "C-4", "https://github.com/kserve/kserve/releases"),
)
def served_version(view: View) -> Iterator[Offence]:
    """Every object of KServe's group."""
    release = view.context.kserve
    for resource in view.of("LLMInferenceService", "LLMInferenceServiceConfig"):
        version = resource.api_version.rpartition("/")[2]
        if release is None:
            yield Offence(resource.at("apiVersion"), "is KServe's, and platform.kserve is not set")
        elif resource.group != "serving.kserve.io" or version not in release.served_api_versions:
            served = ", ".join(release.served_api_versions)
            message = f"is {resource.api_version}, and KServe {release.id} serves {served}"
            yield Offence(resource.at("apiVersion"), message, f"write {release.api_version}")


@rule(
    "KSV-02",
    "An LLMInferenceService says nothing that the webhook refuses",
    symptom='The sync fails: admission webhook "llminferenceservice.serving.kserve.io" denied the request.',
    cause="Two fields exclude each other, or one needs another.",
    instead="keep one of the two, or add what is missing",
    source=("F-58", "F-93", _VALIDATOR),
)
def webhook(view: View) -> Iterator[Offence]:
    """Every LLMInferenceService."""
    for service in view.services:
        yield from _route(view, service)
        for path in (("spec",), ("spec", "prefill")):
            workload = mapping(service.manifest, *path)
            yield from _workload(service, path, workload)


def _route(view: View, service: Resource) -> Iterator[Offence]:
    http = ("spec", "router", "route", "http")
    refs, spec = service.get(*http, "refs"), mapping(service.manifest, *http, "spec")
    gateway_refs = service.get("spec", "router", "gateway", "refs")
    if refs and spec:
        yield Offence(service.at(*http), "has refs and spec", "keep one of them")
    if refs and not gateway_refs:
        yield Offence(
            service.at("spec", "router", "gateway"),
            "has no refs, and route.http.refs is set",
            "name the Gateway",
        )
    if spec.get("parentRefs") and gateway_refs:
        yield Offence(
            service.at(*http, "spec", "parentRefs"), "is set beside gateway.refs", "keep gateway.refs"
        )
    release = view.context.kserve
    # Webhooks before 0.17 take a gateway only beside routes of ours.
    older = release is not None and release.scheduler_config == "template-args"
    if older and gateway_refs and writes_own_route(service):
        where = service.at("spec", "router", "gateway", "refs")
        named = release.default_gateway if release else None
        instead = (
            f"use the Gateway {named}, and leave gateway.refs out" if named else "name routes of your own"
        )
        yield Offence(where, "is set beside a route that KServe writes", instead)


def _workload(service: Resource, path: tuple[str, ...], workload: JsonObject) -> Iterator[Offence]:
    parallelism = mapping(workload, "parallelism")
    data, local = number(parallelism, "data"), number(parallelism, "dataLocal")
    if workload.get("worker") is not None and not (data or number(parallelism, "pipeline")):
        yield Offence(
            service.at(*path, "worker"), "is set without parallelism.data or pipeline", "say how it is split"
        )
    if (data is None) != (local is None):
        yield Offence(service.at(*path, "parallelism"), "has one of data and dataLocal", "write both")
    elif data and local and data % local:
        yield Offence(
            service.at(*path, "parallelism", "data"), f"is {data}, no multiple of dataLocal {local}"
        )
    scaling = mapping(workload, "scaling")
    if scaling and workload.get("replicas") is not None:
        yield Offence(service.at(*path, "replicas"), "is set beside scaling", "keep one of them")
    least, most = number(scaling, "minReplicas"), number(scaling, "maxReplicas")
    if least is not None and most is not None and least > most:
        yield Offence(service.at(*path, "scaling"), f"has minReplicas {least} above maxReplicas {most}")
    autoscaler = mapping(scaling, "wva")
    if autoscaler and len({"hpa", "keda"} & autoscaler.keys()) != 1:
        yield Offence(service.at(*path, "scaling", "wva"), "needs exactly one of hpa and keda")


@rule(
    "KSV-03",
    "Presets that a service builds on exist",
    symptom="The service stays not Ready: LLMInferenceServiceConfig not found.",
    cause="baseRefs names a config that is in neither the service's namespace nor KServe's own.",
    instead="name a preset of the release, or render the config in the same namespace",
    source=("F-59", _MERGE),
)
def presets(view: View) -> Iterator[Offence]:
    """Base references, and presets that a shape of workload implies."""
    release = view.context.kserve
    for service in view.services if release else ():
        known = set(release.presets) if release else set[str]()
        own = {
            item.name for item in view.of("LLMInferenceServiceConfig") if item.namespace == service.namespace
        }
        for index, reference in enumerate(entries(service.manifest, "spec", "baseRefs")):
            name = text(reference, "name")
            if name not in known | own:
                yield Offence(service.at("spec", "baseRefs", index), f"is {name}, which is not there")
        for path, implied in _implied(service):
            if implied not in known | own:
                yield Offence(
                    service.at(*path), f"needs the preset {implied}, which {service.namespace} does not have"
                )


def _implied(service: Resource) -> Iterator[tuple[tuple[str, ...], str]]:
    """Presets that KServe adds by itself, for shapes that not every release ships."""
    role = "decode-" if service.get("spec", "prefill") else ""
    if service.get("spec", "worker") is not None:
        kind = (
            "data-parallel"
            if number(service.manifest, "spec", "parallelism", "data")
            else "pipeline-parallel"
        )
        yield ("spec", "worker"), f"kserve-config-llm-{role}worker-{kind}"
    if service.get("spec", "prefill", "worker") is not None:
        yield ("spec", "prefill", "worker"), "kserve-config-llm-prefill-worker-data-parallel"


@rule(
    "KSV-04",
    "KServe's own presets stay as they are",
    symptom="After the next update of KServe the change is gone; until then it held for every tenant.",
    cause="Configs with the well-known label, and those in KServe's namespace, belong to the release.",
    instead="write a config of your own beside the service, and name it in baseRefs",
    source=("F-60", "seed issue 4"),
)
def well_known(view: View) -> Iterator[Offence]:
    """Every LLMInferenceServiceConfig in git."""
    release = view.context.kserve
    for config in view.of("LLMInferenceServiceConfig"):
        if WELL_KNOWN in labels(config.manifest, "metadata", "labels") | labels(
            config.manifest, "metadata", "annotations"
        ):
            yield Offence(config.at("metadata"), f"carries {WELL_KNOWN}")
        elif release and config.namespace == release.system_namespace and config.name in release.presets:
            yield Offence(config.at("metadata", "name"), f"is a preset of KServe {release.id}")


@rule(
    "KSV-05",
    "The model's address has a scheme that the release fetches",
    symptom='The service stays not Ready: "unsupported schema in model URI".',
    cause="The storage initialiser of an LLMInferenceService knows hf, s3, pvc and oci; never gs.",
    instead="write hf://, s3:// or pvc://",
    source=("F-35f", "kserve workload_storage.go"),
)
def uri(view: View) -> Iterator[Offence]:
    """Addresses of models and adapters."""
    release = view.context.kserve
    allowed = set(release.uri_schemes) if release else set[str]()
    if release and release.features.oci_native_uri:
        allowed.add("oci+native")
    for service in view.services if release else ():
        places = [("spec", "model", "uri")]
        adapters = entries(service.manifest, "spec", "model", "lora", "adapters")
        places += [("spec", "model", "lora", "adapters", index, "uri") for index, _ in enumerate(adapters)]
        for place in places:
            value = service.get(*place)
            scheme = str(value).partition("://")[0] if isinstance(value, str) and "://" in value else ""
            if scheme not in allowed:
                message = f"is {value}, and KServe {release.id if release else ''} fetches {', '.join(sorted(allowed))}"
                yield Offence(service.at(*place), message)


@rule(
    "KSV-06",
    "A preset of KServe is replaced as a whole or not at all",
    symptom='CrashLoopBackOff: "bash: --model=...: invalid option", or vLLM starts without any flag.',
    cause="A preset's command is a script in one release and a program in the next; own args end up behind either.",
    instead="write command and args both",
    source=("F-21", "domain section 4.3", _MERGE),
)
def command_and_args(view: View) -> Iterator[Offence]:
    """The main container of every LLMInferenceService."""
    for engine in view.engines:
        container = engine.container.manifest
        if engine.pod.made_by_kserve and ("command" in container) != ("args" in container):
            has, lacks = ("command", "args") if "command" in container else ("args", "command")
            yield Offence(engine.at(has), f"is set without {lacks}")


@rule(
    "KSV-07",
    "Git holds nothing that KServe makes",
    symptom="KServe and Argo CD rewrite the object in turns; a scale or a patch is gone a minute later.",
    cause="The object has the name of one that KServe makes for an LLMInferenceService.",
    instead="take it out, and set the matching field of the LLMInferenceService",
    source=("F-70", "F-91", "seed 000: scaling"),
)
def owned(view: View) -> Iterator[Offence]:
    """Objects named like children of an LLMInferenceService."""
    for service in view.services:
        children = _children(service)
        for resource in view.resources:
            if resource.namespace == service.namespace and resource.name in children.get(resource.kind, ()):
                yield Offence(resource.at("metadata", "name"), f"is made by KServe for {service.title}")


def _children(service: Resource) -> dict[str, tuple[str, ...]]:
    names = KServeNames(service.name)
    return {
        "Deployment": (names.workload, names.prefill, names.picker),
        "LeaderWorkerSet": (names.workload_group,),
        "Service": (names.workload_service, names.picker_service),
        "InferencePool": (names.pool,) if makes_pool(service) else (),
        "HTTPRoute": (names.route,),
        "Secret": (names.certificate_secret,),
        "ServiceAccount": (f"{service.name}-epp-sa",),
    }


@rule(
    "KSV-08",
    "Names leave room for what KServe appends",
    symptom="Objects get hashed names, and policies, routes and certificates that compute the name miss them.",
    cause="KServe appends up to 25 characters, and cuts what is longer than 63 with a hash.",
    instead="use a shorter name",
    source=("F-79", "kmeta.ChildName", "domain section 1.0"),
)
def short_names(view: View) -> Iterator[Offence]:
    """Names of every LLMInferenceService."""
    for service in view.services:
        longest = max((name for names in _children(service).values() for name in names), key=len)
        if len(longest) > LONGEST_CHILD:
            most = LONGEST_CHILD - (len(longest) - len(service.name))
            message = f"is {len(service.name)} characters long, and {longest} is longer than {LONGEST_CHILD}"
            yield Offence(service.at("metadata", "name"), message, f"use {most} characters at most")


@rule(
    "KSV-09",
    "Groups of pods have the operator that makes them",
    symptom='The sync or the service fails: no matches for kind "LeaderWorkerSet".',
    cause="LeaderWorkerSet is not part of Kubernetes, and its operator is not installed.",
    instead="let the generator render the group, which brings the operator",
    source=("F-54", "seed issue 7", "https://lws.sigs.k8s.io/docs/installation/"),
)
def group_operator(view: View) -> Iterator[Offence]:
    """LeaderWorkerSets, and services with workers."""
    if any(application.name == "lws" for application in view.plan.applications):
        return
    for resource in (*view.of("LeaderWorkerSet"), *view.services):
        if resource.kind == "LeaderWorkerSet":
            yield Offence(
                resource.at("apiVersion"), "needs the LeaderWorkerSet operator, which nothing installs"
            )
        for path in (("spec", "worker"), ("spec", "prefill", "worker")):
            if resource.kind == "LLMInferenceService" and resource.get(*path) is not None:
                yield Offence(
                    resource.at(*path), "needs the LeaderWorkerSet operator, which nothing installs"
                )


@rule(
    "KSV-10",
    "A service uses only fields that its release has",
    symptom="The field is dropped without a word, and nothing it asked for happens.",
    cause="The field came with a later release, or never existed: scorerWeights is in guides only.",
    instead="take the field out, or choose a release that has it",
    source=("F-72", "F-20b", "seed 004", "domain section 4.2"),
)
def known_fields(view: View) -> Iterator[Offence]:
    """Fields of every LLMInferenceService."""
    release = view.context.kserve
    for service in view.services if release else ():
        if release:
            yield from _unknown_fields(service, release)


_FIELDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("spec",): ("model", "replicas", "parallelism", "template", "worker", "prefill", "router", "baseRefs"),
    ("spec", "prefill"): ("replicas", "parallelism", "template", "worker"),
    ("spec", "model"): ("uri", "name", "lora"),
    ("spec", "router"): ("route", "gateway", "ingress", "scheduler"),
    ("spec", "router", "route"): ("http",),
    ("spec", "router", "scheduler"): ("pool", "template"),
    ("spec", "parallelism"): ("tensor", "pipeline", "data", "dataLocal", "dataRPCPort", "expert"),
}
"""Fields that every release has, by where they stand."""
_LATER: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("scaling", ("spec",), ("scaling",)),
    ("storage_initializer", ("spec",), ("storageInitializer",)),
    ("labels_on_workload", ("spec",), ("labels", "annotations")),
    ("kv_cache_offloading", ("spec",), ("kvCacheOffloading",)),
    ("tracing", ("spec",), ("tracing",)),
    ("rollout_strategy", ("spec",), ("rolloutStrategy",)),
    ("scaling", ("spec", "prefill"), ("scaling",)),
    ("labels_on_workload", ("spec", "prefill"), ("labels", "annotations")),
    ("kv_cache_offloading", ("spec", "prefill"), ("kvCacheOffloading",)),
    ("model_criticality", ("spec", "model"), ("criticality",)),
    ("confidential_model", ("spec", "model"), ("confidential",)),
    ("route_group", ("spec", "router", "route"), ("group", "weight")),
    ("scheduler_config", ("spec", "router", "scheduler"), ("config",)),
    ("scheduler_replicas", ("spec", "router", "scheduler"), ("replicas", "labels", "annotations")),
    ("scheduler_tokenizer", ("spec", "router", "scheduler"), ("tokenizer",)),
)
"""Fields that came with a feature: its name in the catalogue, where they stand, what they are."""


def _unknown_fields(service: Resource, release: KServeRelease) -> Iterator[Offence]:
    for path, always in _FIELDS.items():
        known = set(always)
        for feature, place, names in _LATER:
            if place == path and getattr(release.features, feature):
                known.update(names)
        for name in sorted(mapping(service.manifest, *path).keys() - known):
            yield Offence(service.at(*path, name), f"is not a field of KServe {release.id}")


@rule(
    "KSV-11",
    "A controller that makes TLS for its services finds its CA",
    symptom="The service stays not Ready: secret opendatahub-ca not found.",
    cause="The release signs workload certificates with a CA that must exist first.",
    instead="keep the Certificate opendatahub-ca in namespace cert-manager",
    source=("F-49", "F-53", "domain section 1.0"),
)
def authority(view: View) -> Iterator[Offence]:
    """The CA of releases that need one."""
    release = view.context.kserve
    needed = release and release.ca_required and view.services
    made = {
        text(item.manifest, "spec", "secretName")
        for item in view.of("Certificate")
        if item.namespace == "cert-manager" and dig(item.manifest, "spec", "isCA") is True
    }
    if needed and "opendatahub-ca" not in made:
        message = f"is {release.id if release else ''}, and no Certificate makes cert-manager/opendatahub-ca"
        yield Offence(view.setting("platform", "kserve"), message)
    issuers = {issuer.name for issuer in view.of("ClusterIssuer")}
    for need in release.needs if release and needed else ():
        kind, _, name = need.partition("/")
        if kind == "ClusterIssuer" and name not in issuers:
            message = f"is {release.id if release else ''}, and no ClusterIssuer is named {name}"
            yield Offence(view.setting("platform", "kserve"), message, f"keep the ClusterIssuer {name}")


@rule(
    "KSV-12",
    "A route that replaces KServe's own serves the same paths",
    symptom="Some calls end with 404: embeddings, responses or the list of models.",
    cause="The route of a service that KServe does not write covers only some of its paths.",
    instead="lead /<namespace>/<name> to the server, and the paths that carry prompts to the pool",
    source=("domain section 6", "F-14"),
)
def own_route(view: View) -> Iterator[Offence]:
    """Routes that an LLMInferenceService names."""
    for service in view.services:
        for reference in entries(service.manifest, "spec", "router", "route", "http", "refs"):
            route = view.find("HTTPRoute", service.namespace, text(reference, "name"))
            if route is None:
                continue
            targets = {
                text(backend, "name")
                for item in entries(route.manifest, "spec", "rules")
                for backend in entries(item, "backendRefs")
            }
            pool = KServeNames(service.name).pool
            if makes_pool(service) and pool not in targets:
                yield Offence(
                    route.at("spec", "rules"), f"never leads to {pool}, the pool of {service.title}"
                )


RULES = (
    served_version,
    webhook,
    presets,
    well_known,
    uri,
    command_and_args,
    owned,
    short_names,
    group_operator,
    known_fields,
    authority,
    own_route,
)
