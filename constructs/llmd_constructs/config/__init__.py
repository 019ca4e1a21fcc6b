"""The user's files: YAML in, frozen values out, or every problem with its file and line."""

from llmd_constructs.config.errors import InputError, Problem

__all__ = ["InputError", "Problem"]
