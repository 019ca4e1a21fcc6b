"""The real Argo CD, run beside a local control plane, or asked for one verdict without any cluster."""

from llmd_tools.argocd.applications import ApplicationState, ObjectReference
from llmd_tools.argocd.argo_cd import ArgoCd
from llmd_tools.argocd.repository import BRANCH, Repository

__all__ = ["BRANCH", "ApplicationState", "ArgoCd", "ObjectReference", "Repository"]
