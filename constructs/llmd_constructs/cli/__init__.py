"""The command line: thin; every verb is one function elsewhere."""
