"""Pages and tables for people, generated from the code."""
