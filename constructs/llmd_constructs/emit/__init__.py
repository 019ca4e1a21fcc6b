"""What is written from a Plan: YAML text, the generated folders, their difference, the stamp of a run.

Import from the modules: a run in which nothing changed needs `stamp` alone, and must not pay for the rest.
"""
