"""Helm charts, folded from what the constructs render.

A chart is not written by hand. Its values are the user's own settings; samples of them are rendered by the same
constructs that fill `dist/`, and the renderings are folded into templates. See docs/charts.md.
"""
