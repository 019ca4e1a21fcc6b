"""One module per pattern: which components a deployment is made of."""

from collections.abc import Callable, Mapping
from typing import Any

from llmd_constructs.application import Application
from llmd_constructs.context import Context
from llmd_constructs.patterns.mixture_of_experts import mixture_of_experts
from llmd_constructs.patterns.multi_model import multi_model
from llmd_constructs.patterns.prefill_decode import prefill_decode
from llmd_constructs.patterns.prefix_cache import prefix_cache
from llmd_constructs.patterns.single_replica import single_replica

Pattern = Callable[[Application, Context, Any], None]
"""Fills the application of one deployment; the last argument is the pattern's own settings."""

PATTERNS: Mapping[str, Pattern] = {
    "single-replica": single_replica,
    "multi-model": multi_model,
    "prefix-cache": prefix_cache,
    "mixture-of-experts": mixture_of_experts,
    "prefill-decode": prefill_decode,
}
"""Every pattern, by the value of `pattern` in the environment file."""
