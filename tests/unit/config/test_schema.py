"""What editors are told about the environment file."""

import json

from llmd_constructs.config.schema import schema_text
from llmd_constructs.rules.reading import dig, leaves


def test_every_pattern_says_what_it_means() -> None:
    """Nobody is shown a regular expression: editors and error texts have words for each."""
    schema = json.loads(schema_text())
    patterns = [path for path, _ in leaves(schema) if path[-1] == "pattern"]
    assert patterns
    words = {path: str(dig(schema, *path[:-1], "patternErrorMessage")) for path in patterns}
    assert [path for path, said in words.items() if not said.startswith("must ")] == []
