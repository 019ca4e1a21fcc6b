"""Cross-cutting parts that any deployment can have."""
