"""The one error that the tools room raises for things a user can mend."""


class ToolError(Exception):
    """A tool, a module or a program that cannot be had or does not run; the message says what to do."""
