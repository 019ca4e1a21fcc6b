"""Argo CD: projects, applications, health checks."""
