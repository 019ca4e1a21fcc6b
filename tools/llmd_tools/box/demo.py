"""`make demo`: an environment of this repository, from nothing to an answer to a chat, on one machine."""

import time
from collections.abc import Iterator
from contextlib import suppress

import urllib3
from rich.console import Console

from llmd_constructs.config.load import load_environments
from llmd_constructs.plan import EnvironmentPlan
from llmd_tools.box import opendatahub, programs, stand_ins
from llmd_tools.box.box import Box
from llmd_tools.box.client import Client
from llmd_tools.box.demo_hints import hints, write_scripts
from llmd_tools.box.demo_running import Running, running
from llmd_tools.box.demo_state import State
from llmd_tools.box.demo_view import Show, view
from llmd_tools.box.network import PrivateNetwork
from llmd_tools.build import build
from llmd_tools.errors import ToolError
from llmd_tools.groups import group
from llmd_tools.judges.crd_sets import kserve_set
from llmd_tools.judges.nodes import nodes
from llmd_tools.judges.rendered import ROOT, Rendered

_GROUPS = ("cluster", "argocd", "checks", *programs.GROUPS)
_QUESTION = "What does an endpoint picker do?"
_SECONDS = 900
_ANSWER_SECONDS = 30
_PAUSE_SECONDS = 1.0


def run(name: str, console: Console, *, stay: bool) -> None:
    """Show an environment at work.

    Args:
        name: The environment's.
        console: Where to.
        stay: Go on until somebody presses Ctrl-C, and follow what changes in the checkout; else end with the answer.

    Raises:
        ToolError: If the environment cannot run here, the machine lacks something, or it does not come up.
    """
    environment = _environment(name)
    _prepare(environment)
    for line in stand_ins.notes(environment):
        console.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)
    began = time.monotonic()
    with suppress(KeyboardInterrupt), Box(nodes(environment.plan.environment.cluster)) as box:
        try:
            console.print("a control plane and a node agent run in a private network")
            with running(box, environment, console.print) as demo:
                _come_up(demo, console, began)
                console.print(f"everything runs after {time.monotonic() - began:.0f} s", style="bold")
                _talk(demo, console)
                if stay:
                    _tell_how_to_go_on(demo, console)
                    _follow(demo, console)
        except KeyboardInterrupt:
            console.print("\nending")


def _environment(name: str) -> Rendered:
    """The environment with its committed files: nothing is synthesized, and node is not needed."""
    known = {each.name: each for each in load_environments(ROOT)}
    if name not in known:
        raise ToolError(f"no environment {name!r}; there are {', '.join(sorted(known))}")
    return Rendered(EnvironmentPlan(name, known[name].environment, applications=()))


def _prepare(environment: Rendered) -> None:
    """Find out whether this machine gives a private network, then build what is not built: that may take minutes."""
    with PrivateNetwork():
        pass
    kserve = kserve_set(opendatahub.stand_in(environment).plan)
    for name in (*_GROUPS, *([kserve] if kserve else [])):
        build(group(name))


def _come_up(demo: Running, console: Console, began: float) -> None:
    """Show how Argo CD brings everything, until it all runs."""
    for each in sorted(demo.checkout.left_out):
        line = f"does not run here, and is stood in for: {each}"
        console.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)
    end = time.monotonic() + _SECONDS
    wanted = demo.checkout.applications()
    with view(console, began) as show:
        for state in _states(demo, show):
            missing = state.waits_for(wanted)
            if not missing:
                return
            if time.monotonic() > end:
                raise ToolError("\n".join([f"not everything runs after {_SECONDS} s:", *missing]))


def _states(demo: Running, show: Show) -> Iterator[State]:
    while True:
        demo.advance()
        state = demo.state()
        show(state)
        yield state
        time.sleep(_PAUSE_SECONDS)


def _talk(demo: Running, console: Console) -> None:
    """Ask a model through the gateway, and print its answer as it comes."""
    chat, url = demo.chats[0], demo.gateway_url()
    request = f"\nPOST {url}{chat.path}/v1/chat/completions"
    console.print(request, style="bold", highlight=False, markup=False, soft_wrap=True)
    console.print(f"{chat.model} is asked: {_QUESTION}", highlight=False, markup=False, soft_wrap=True)
    with Client(f"{url}{chat.path}") as client:
        for piece in _answer(client, chat.model):
            console.print(piece, end="", style="green", markup=False, highlight=False, soft_wrap=True)
    console.print("\n(the simulator of vLLM says so: no model runs here)\n", style="dim")


def _answer(client: Client, model: str) -> Iterator[str]:
    """The pieces of an answer; routes may reach the gateway a moment after all is ready."""
    end = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            with client.stream(model, _QUESTION) as pieces:
                yield from pieces
        except (ValueError, urllib3.exceptions.HTTPError) as error:
            if time.monotonic() > end:
                raise ToolError(f"the gateway gives no answer: {error}") from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _tell_how_to_go_on(demo: Running, console: Console) -> None:
    address = demo.argocd.address
    bin_ = write_scripts(demo.cluster.folder, demo.cluster.kubeconfig, address)
    for line in hints(bin_, demo.gateway_url(), f"http://{address}", demo.chats, demo.pickers()):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _follow(demo: Running, console: Console) -> None:
    """Commit what changes in the checkout, so that Argo CD syncs it, until Ctrl-C."""
    how = "\nChange environments/, run make synth, and watch Argo CD sync it. Ctrl-C ends all of it."
    console.print(how, soft_wrap=True)
    last: dict[str, str] = {}
    while True:
        demo.advance()
        if changes := demo.checkout.changes():
            demo.argocd.commit(changes)
            console.print(f"committed {', '.join(sorted(changes))}", highlight=False, soft_wrap=True)
        states = {name: f"{each.sync}, {each.health}" for name, each in demo.argocd.applications().items()}
        for name, state in states.items():
            if last.get(name, state) != state:
                console.print(f"application {name}: {state}", highlight=False)
        last = states
        time.sleep(_PAUSE_SECONDS)
