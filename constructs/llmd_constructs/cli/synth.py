"""`synth`: render, and write all or nothing."""

import os
import sys
from pathlib import Path

import click

from llmd_constructs.cli.batch import batch
from llmd_constructs.cli.progress import step
from llmd_constructs.emit.stamp import digest, is_current, write_stamp

INPUTS = tuple(
    Path(name)
    for name in ("environments", "constructs/llmd_constructs", "main.py", "cdk8s.yaml", "requirements.txt")
)
"""Everything that the output depends on."""
FOLDERS = ("dist", "argocd")
OUTPUTS = tuple(Path(folder) for folder in FOLDERS)


def write(root: Path, *, force: bool) -> None:
    """Bring dist/ and argocd/ up to date."""
    expected = os.environ.get("CDK8S_OUTDIR")
    if expected:
        # `cdk8s synth` emptied this folder and wants to see it again; the output itself is kept out of its reach.
        Path(expected).mkdir(parents=True, exist_ok=True)
    if not force and is_current(root, INPUTS, OUTPUTS):
        click.echo("nothing has changed")
        return
    before = _digest(root)
    with batch():
        files = _render(root)
        from llmd_constructs.emit.left_behind import left_behind
        from llmd_constructs.emit.tree import write_tree

        left = list(left_behind(root, files))
        with step(f"writing {len(files)} files"):
            changes = write_tree(root, files, FOLDERS)
        write_stamp(root, INPUTS, OUTPUTS, before=before)
    for sign, paths in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
        for path in paths:
            click.echo(f"{sign} {path}")
    click.echo(
        f"{len(files)} files: {len(changes.added)} added, {len(changes.changed)} changed, "
        f"{len(changes.removed)} removed, {len(changes.unchanged)} unchanged",
    )
    for sentence in left:
        click.echo(f"warning: {sentence}", err=True)


def check(root: Path) -> None:
    """Compare dist/ and argocd/ with a fresh synthesis; leave with 1 if they differ."""
    from llmd_constructs.emit.difference import unified

    with batch():
        difference = unified(root, _render(root), FOLDERS)
    if difference:
        click.echo(difference)
        click.echo(
            "dist/ and argocd/ differ from the environments; run `make synth` and commit the result", err=True
        )
        sys.exit(1)
    click.echo("dist/ and argocd/ are what the environments say")


def _digest(root: Path) -> str:
    """Digest of the inputs; empty, so that no stamp matches, where they hold what cannot be read."""
    try:
        return digest(INPUTS, root)
    except (OSError, ValueError):
        return ""  # reading the environments names the file and says what is wrong with it


def _render(root: Path) -> dict[str, str]:
    with step("reading environments"):
        from llmd_constructs.config.load import load_environments

        loaded = load_environments(root)
    with step(f"synthesizing {len(loaded)} environments"):
        from llmd_constructs.synthesis import render, synthesize

        plan = synthesize(loaded)
    with step("checking the rules"):
        from llmd_constructs.rules.check import check_plan
        from llmd_constructs.rules.report import line

        found = check_plan(plan, loaded)
    broken = [finding for finding in found if finding.fails]
    if broken:
        click.echo("\n".join(map(line, broken)), err=True)
        click.echo(
            f"\n{len(broken)} broken rule{'' if len(broken) == 1 else 's'}; nothing was rendered", err=True
        )
        sys.exit(1)
    warnings = [finding for finding in found if finding.rule.severity == "warning" and not finding.waiver]
    if warnings:
        click.echo("\n".join(map(line, warnings)), err=True)
    return render(plan)
