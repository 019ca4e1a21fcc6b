"""The verbs. Heavy imports stay inside them, so that `--help` and completion answer at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmd_constructs.cli import completion
from llmd_constructs.cli.ending import quick_end

if TYPE_CHECKING:
    from llmd_constructs.cli.check import Format

CONTEXT = {"help_option_names": ["-h", "--help"]}


class _Verb(click.Command):
    """Turns what users can mend into one clear text and exit code 1."""

    def invoke(self, ctx: click.Context) -> object:
        from llmd_constructs.cli.failures import readable_failures

        writes = "check" in ctx.params and not ctx.params["check"]  # what writes can check instead
        with readable_failures(writes=writes):
            return super().invoke(ctx)


class _Group(click.Group):
    command_class = _Verb


@click.group(cls=_Group, context_settings=CONTEXT)
@click.pass_context
def cli(context: click.Context) -> None:
    """LLM inference on GKE, the GitOps way: environments in, manifests and Argo CD Applications out."""
    context.obj = context.obj or Path.cwd()


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; show the difference and exit 1 if there is one.")
@click.option("--force", is_flag=True, help="Synthesize even if no input and no output has changed.")
@click.pass_obj
def synth(root: Path, *, check: bool, force: bool) -> None:
    """Render dist/ and argocd/ from environments/."""
    from llmd_constructs.cli import synth as verb

    if check:
        verb.check(root)
    else:
        verb.write(root, force=force)


@cli.command()
@click.argument("environment", shell_complete=completion.environments)
@click.argument("field", default="")
@click.pass_obj
def why(root: Path, environment: str, field: str) -> None:
    """Show the settings of an ENVIRONMENT and the file and line each value comes from.

    FIELD is a path such as `platform.gateway` or `deployments.NAME.engine`, limits what is shown to it, and adds what
    is left out there, with its default.
    """
    from llmd_constructs.cli import why as verb

    verb.run(root, environment, field)


@cli.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    help="For people, for programs, or for code review.",
)
@click.argument("environments", nargs=-1, metavar="[ENVIRONMENT]...", shell_complete=completion.environments)
@click.pass_obj
def check(root: Path, environments: tuple[str, ...], form: "Format") -> None:
    """Hold the rules against every ENVIRONMENT, or against those named; exit 1 if one breaks."""
    from llmd_constructs.cli import check as verb

    verb.run(root, environments, form)


@cli.command()
@click.argument("rule", shell_complete=completion.rules)
@click.pass_obj
def explain(root: Path, rule: str) -> None:
    """Explain a RULE: what happens on the cluster, why, and what to write instead.

    RULE may also be a check of the preflight scripts, such as PRE-18.
    """
    from llmd_constructs.cli import explain as verb

    verb.run(root, rule)


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a page is not current.")
@click.pass_obj
def docs(root: Path, *, check: bool) -> None:
    """Write the generated pages of docs/ and the preflight script of every environment."""
    from llmd_constructs.cli import docs as verb

    verb.run(root, check=check)


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is not current.")
@click.argument("names", nargs=-1, metavar="[CHART]...", shell_complete=completion.charts)
@click.pass_obj
def charts(root: Path, names: tuple[str, ...], *, check: bool) -> None:
    """Write the Helm charts, or each CHART named, and the values of every environment.

    Folding all charts takes minutes; nothing else here does.
    """
    from llmd_constructs.cli import charts as verb

    verb.run(root, names, check=check)


def main(args: Sequence[str] | None = None, root: Path | None = None, name: str | None = None) -> None:
    """Run as a program.

    Args:
        args: Default: those of the process.
        root: The repository. Default: the working directory.
        name: Of the program, in its help. Default: that of the process.
    """
    with quick_end():
        cli(args=args, obj=root, prog_name=name)
