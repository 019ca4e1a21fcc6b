"""The real programs that judge what this repository renders: pinned, built from Go modules, run on loopback.

Nothing here is needed to render manifests. The package finds or builds the tools (`build`), takes CRDs out of
pinned Go modules (`crds`), makes JSON schemas of them (`schemas`, `kubeconform`) and runs a control plane without
containers (`cluster`).
"""
