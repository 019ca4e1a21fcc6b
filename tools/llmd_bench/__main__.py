"""`python -m llmd_bench`."""

from llmd_bench.cli import main

main()
