"""The benchmark: this repository's synthesis beside the renderers that people use for the same work."""
