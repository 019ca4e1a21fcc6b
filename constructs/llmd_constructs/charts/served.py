"""What a chart's notes, test and README call the things of a release: names, addresses and paths as expressions.

Names come from the same functions that the constructs use, given an expression in place of a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from llmd_constructs import catalogue
from llmd_constructs.config.deployment import Stack
from llmd_constructs.serving.engine import MODEL_SERVER_PORT
from llmd_constructs.serving.kserve_names import KServeNames
from llmd_constructs.serving.llmd_names import LlmdNames

NAMESPACE = "{{ $.Release.Namespace }}"
"""The namespace of a release."""
ON_GKE = 'eq $.Values.gateway.provider "gke"'
"""Condition: the gateway is Google's own load balancer."""


@dataclass(frozen=True)
class Served:
    """One served model of a release, in the words of a template; inside a loop where there are several.

    Attributes:
        pattern: The chart's pattern.
        stack: The chart's stack.
    """

    pattern: str
    stack: Stack

    @property
    def many(self) -> bool:
        """Whether `.Values.models` lists the models."""
        return self.pattern == "multi-model"

    @property
    def name(self) -> str:
        """What its objects are named after."""
        return "{{ $model.name }}" if self.many else "{{ $.Release.Name }}"

    @property
    def model(self) -> str:
        """The expression of the model's id, without braces."""
        return "$model.model" if self.many else "$.Values.model"

    @cached_property
    def kserve(self) -> KServeNames:
        """Names on KServe."""
        return KServeNames(self.name)

    @cached_property
    def llmd(self) -> LlmdNames:
        """Names without KServe."""
        return LlmdNames(self.name)

    @property
    def servers(self) -> Mapping[str, str]:
        """Labels of the pods behind the model's Service."""
        names = self.kserve if self.stack == "kserve" else self.llmd
        return names.model_server_selector

    @property
    def service(self) -> str:
        """Where the model answers inside its namespace: scheme, Service and port."""
        if self.stack == "llm-d":
            return f"http://{self.llmd.model_service}:{MODEL_SERVER_PORT}"
        secure = [
            r for r in catalogue.ids("kserve_release") if catalogue.kserve_release(r).engine_tls_default
        ]
        listed = " ".join(f'"{release}"' for release in secure)
        scheme = f'{{{{ ternary "https" "http" (has $.Values.kserve (list {listed})) }}}}'
        ours = f"http://{self.kserve.own_service}:{MODEL_SERVER_PORT}"
        theirs = f"{scheme}://{self.kserve.workload_service}:{MODEL_SERVER_PORT}"
        return f"{{{{ if {ON_GKE} }}}}{ours}{{{{ else }}}}{theirs}{{{{ end }}}}"

    @property
    def path(self) -> str:
        """Where the gateway serves it, before `/v1`."""
        below = f"/{NAMESPACE}/{self.name}"
        if self.many:
            return f'{{{{ if eq $.Values.routing "path" }}}}{below}{{{{ end }}}}'
        return (
            below if self.stack == "kserve" else f'{{{{ if eq $.Values.route "path" }}}}{below}{{{{ end }}}}'
        )

    @property
    def route(self) -> str:
        """The HTTPRoute that serves it."""
        if self.stack == "llm-d":
            return self.llmd.route
        ours = f'or ({ON_GKE}) (eq $.Values.routing "body")' if self.many else ON_GKE
        return f"{{{{ if {ours} }}}}{self.kserve.own_route}{{{{ else }}}}{self.kserve.route}{{{{ end }}}}"

    def each(self, text: str) -> str:
        """The text, once for each model."""
        return f"{{{{- range $model := $.Values.models }}}}\n{text}{{{{- end }}}}\n" if self.many else text
