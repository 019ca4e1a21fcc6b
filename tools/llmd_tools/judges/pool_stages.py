"""What a gateway's controller would write on InferencePools: that it serves them. KServe waits for it."""

import json
from pathlib import Path

from llmd_tools.cluster import ControlPlane

_APIS = {
    "inference.networking.k8s.io/v1": "parents",
    "inference.networking.x-k8s.io/v1alpha2": "parent",
}
"""Each API with the field of its status that lists gateways."""

_STATUS = """\
{field}:
- parentRef:
    group: gateway.networking.k8s.io
    kind: Gateway
    name: {name}
    namespace: {namespace}
  conditions:
  - type: Accepted
    status: "True"
    reason: Accepted
    message: simulated
    observedGeneration: {{{{ .metadata.generation }}}}
    lastTransitionTime: {{{{ Now | Quote }}}}
  - type: ResolvedRefs
    status: "True"
    reason: ResolvedRefs
    message: simulated
    observedGeneration: {{{{ .metadata.generation }}}}
    lastTransitionTime: {{{{ Now | Quote }}}}
"""


def write_pool_stages(cluster: ControlPlane, namespace: str, name: str) -> list[Path]:
    """Files of kwok Stages for the pools that this Gateway serves, in each API that the cluster has."""
    files: list[Path] = []
    for api, field in _APIS.items():
        if not cluster.server.serves(api, "InferencePool"):
            continue
        seen = f"([.status.{field}[]?.conditions[]?.observedGeneration] | unique) == [.metadata.generation]"
        stage = {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "Stage",
            "metadata": {"name": f"inference-pool-{field}"},
            "spec": {
                "resourceRef": {"apiGroup": api, "kind": "InferencePool"},
                "selector": {"matchExpressions": [{"key": seen, "operator": "NotIn", "values": ["true"]}]},
                "next": {"statusTemplate": _STATUS.format(field=field, name=name, namespace=namespace)},
            },
        }
        file = cluster.folder / f"stage-{field}.yaml"
        file.write_text(json.dumps(stage))
        files.append(file)
    return files
