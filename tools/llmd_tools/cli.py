"""`python -m llmd_tools`: the tools by hand."""

import sys
from pathlib import Path

import click

from llmd_tools import build, crds, go, groups, schemas
from llmd_tools.box.cli import box
from llmd_tools.errors import ToolError
from llmd_tools.kubeconform import validate


class _Group(click.Group):
    """Commands whose failures are one line, not a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ToolError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The pinned programs that judge what this repository renders.

    They are built from Go modules into the user's cache folder, or the one that LLMD_TOOLS_CACHE names.
    """


main.add_command(box)


@main.command(name="list")
def list_() -> None:
    """The groups of programs, their versions, and which are built."""
    found = go.toolchain()
    for group in groups.GROUPS:
        built = "built" if build.folder_of(group, found).is_dir() else "not built"
        click.echo(f"{group.name} ({built}): {group.purpose}")
        for name, version in build.tool_versions(group).items():
            click.echo(f"  {name} {version}")


@main.command(name="build")
@click.argument("names", nargs=-1, metavar="[GROUP]...")
def build_(names: tuple[str, ...]) -> None:
    """Build groups of programs; without a name, all of them."""
    for group in [groups.group(name) for name in names] or groups.GROUPS:
        click.echo(build.build(group))


@main.command()
@click.argument("name")
def path(name: str) -> None:
    """Print where a program is, building it if need be."""
    click.echo(build.tool(name))


@main.command(name="crds")
@click.argument("names", nargs=-1)
def crds_(names: tuple[str, ...]) -> None:
    """Print the files of sets of CRDs; without a name, of all of them."""
    for file in crds.crd_files(*(names or crds.lock())):
        click.echo(file)


@main.command(name="schemas")
@click.option(
    "--kubernetes", default="1.34", show_default=True, metavar="MINOR", help="Version of Kubernetes."
)
@click.argument("names", nargs=-1)
def schemas_(names: tuple[str, ...], kubernetes: str) -> None:
    """Print the folders of JSON schemas of Kubernetes and of sets of CRDs."""
    click.echo(schemas.core_schemas(kubernetes))
    for folder in schemas.crd_schemas(*(names or crds.lock())).values():
        click.echo(folder)


@main.command()
@click.option(
    "--kubernetes", default="1.34", show_default=True, metavar="MINOR", help="Version of Kubernetes."
)
@click.option("--crds", "names", multiple=True, metavar="NAME", help="A set of CRDs; may be given again.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def kubeconform(paths: tuple[Path, ...], kubernetes: str, names: tuple[str, ...]) -> None:
    """Judge manifests by the schemas of Kubernetes and of sets of CRDs."""
    report = validate(paths, kubernetes, names)
    for failure in report.failures:
        click.echo(failure)
    for kind, count in report.skipped.items():
        click.echo(f"no schema for {kind}: {count} not judged")
    click.echo(
        f"{report.objects} objects, {len(report.failures)} wrong, {sum(report.skipped.values())} not judged"
    )
    sys.exit(1 if report.failures else 0)
