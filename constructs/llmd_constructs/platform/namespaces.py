"""Namespaces, with the Pod Security level that each can live with."""

from typing import Literal

from llmd_constructs.application import Application, Component
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import NAMESPACE

PodSecurity = Literal["privileged", "baseline", "restricted"]


class Namespace(Component):
    """One Namespace."""

    def __init__(self, scope: Application, id: str, *, enforce: PodSecurity, part_of: str) -> None:
        """Render the Namespace `id`.

        Args:
            scope: The application of all namespaces.
            id: Name of the Namespace.
            enforce: Pods below this Pod Security level are refused; those below `restricted` give a warning.
            part_of: The environment.
        """
        super().__init__(scope, id)
        labels = {
            **recommended(id, "namespace", part_of),
            "pod-security.kubernetes.io/enforce": enforce,
            "pod-security.kubernetes.io/warn": "restricted" if enforce == "baseline" else enforce,
        }
        # Deleting a Namespace deletes everything in it, so that is left to people. Asking for a confirmation instead
        # (`Prune=confirm`) would leave the sync running, and no newer commit is synced while it does.
        self.add(
            NAMESPACE.manifest(
                id,
                labels=labels,
                annotations={
                    "argocd.argoproj.io/sync-options": "Prune=false,Delete=confirm",
                    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
                },
            )
        )
