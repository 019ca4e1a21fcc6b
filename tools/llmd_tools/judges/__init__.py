"""Real programs that judge what is rendered, environment by environment."""
