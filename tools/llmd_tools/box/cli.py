"""`python -m llmd_tools box`: the cluster in a box by hand."""

import signal
import sys
from pathlib import Path
from typing import Never

import click
from rich.console import Console

DEFAULT = "llmd-istio-tpu"


_ENDING = (signal.SIGINT, signal.SIGTERM)


def _interrupt(*_: object) -> Never:
    """Let everything be tidied up, whoever ends it, and let that not be interrupted."""
    for each in _ENDING:
        signal.signal(each, _go_on)
    raise KeyboardInterrupt


def _go_on(*_: object) -> None:
    """The end is under way."""


@click.group()
def box() -> None:
    """A cluster on this machine, without containers and without rights."""


@box.command()
@click.argument("environment", default=DEFAULT)
@click.option(
    "--stay/--no-stay",
    default=None,
    help="Go on after the answer, until Ctrl-C. Default: if this is a terminal.",
)
def demo(environment: str, stay: bool | None) -> None:
    """Bring an environment up by Argo CD, and talk to it.

    ENVIRONMENT is a file of environments/, without its ending.
    """
    from llmd_tools.box.demo import run  # noqa: PLC0415 - the other commands need none of it

    for each in _ENDING:
        signal.signal(each, _interrupt)
    run(environment, Console(), stay=sys.stdout.isatty() if stay is None else stay)


@box.command()
@click.option("--list", "only_list", is_flag=True, help="Only tell which there are.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def scenario(names: tuple[str, ...], *, only_list: bool) -> None:
    """Put environments into situations, and tell what happens; without a name, into all of them."""
    from llmd_tools.box.scenarios import BY_ENVIRONMENT, SCENARIOS, summary  # noqa: PLC0415 - as above

    if unknown := sorted(set(names) - SCENARIOS.keys()):
        raise click.UsageError(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    if only_list:
        for name in SCENARIOS:
            click.echo(f"{name}: {summary(name)}")
        return
    from llmd_tools.box.deployed import deployed  # noqa: PLC0415 - the list needs none of it
    from llmd_tools.judges.rendered import environments  # noqa: PLC0415 - likewise

    for environment, scenarios in BY_ENVIRONMENT.items():
        wanted = [name for name in scenarios if name in (names or SCENARIOS)]
        if not wanted:
            continue
        with deployed(environments()[environment]) as world:
            for name in wanted:
                click.echo(f"{name}: {summary(name)}")
                for line in scenarios[name](world):
                    click.echo(f"  {line}")


@box.command()
@click.option("--clients", default=6, show_default=True, help="How many ask at once.")
@click.option("--seconds", default=30, show_default=True, help="How long each of the two runs lasts.")
@click.option("--plot", type=click.Path(path_type=Path), help="Where to write a picture, as SVG.")
def load(clients: int, seconds: int, plot: Path | None) -> None:
    """Ask a replicated model as many clients at once, with prefix-aware routing and without."""
    from llmd_tools.box import load as runs  # noqa: PLC0415 - as above
    from llmd_tools.box.deployed import deployed  # noqa: PLC0415 - likewise
    from llmd_tools.box.plot import svg  # noqa: PLC0415 - likewise
    from llmd_tools.box.scenarios import LLM_D  # noqa: PLC0415 - likewise
    from llmd_tools.judges.rendered import environments  # noqa: PLC0415 - likewise

    with deployed(environments()[LLM_D]) as world:
        measured = list(runs.measure(world, clients, seconds))
    Console().print(runs.table(measured), "The simulator's numbers: its times are made up.")
    if plot:
        plot.write_text(svg(measured))
        click.echo(plot)
