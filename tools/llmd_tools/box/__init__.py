"""A cluster in a box: what this repository renders, run by real programs on one machine, without containers."""
