"""`schema`: the JSON schema of environment files, for editors."""

import sys
from pathlib import Path

import click

from llmd_constructs.config.schema import SCHEMA_FILE, schema_text


def run(root: Path, *, check: bool) -> None:
    """Write the schema, or say whether the committed one is current."""
    path = root / SCHEMA_FILE
    text = schema_text()
    if check:
        if not path.is_file() or path.read_text("utf-8") != text:
            click.echo(f"{SCHEMA_FILE} is not current; run `make docs`", err=True)
            sys.exit(1)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
