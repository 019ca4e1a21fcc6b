"""`python -m llmd_tools`."""

from llmd_tools.cli import main

main()
