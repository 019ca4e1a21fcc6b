"""A synthesis as plain values: the seam between constructs and everything that is written from them."""

from llmd_constructs.plan.model import (
    ApplicationPlan,
    EnvironmentPlan,
    ManifestFile,
    Plan,
    RenderedSource,
    UpstreamSource,
)

__all__ = ["ApplicationPlan", "EnvironmentPlan", "ManifestFile", "Plan", "RenderedSource", "UpstreamSource"]
