"""`python -m llmd_tools.box.agent`: the node agent, in the network that it is started in."""

import asyncio
import logging
from pathlib import Path

import click

from llmd_tools.box.agent.agent import Agent, Settings
from llmd_tools.box.agent.api import Api

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--kubeconfig", required=True, type=_PATH, help="How to reach the API server.")
@click.option("--folder", required=True, type=_PATH, help="Where to keep files.")
@click.option("--server-port", required=True, type=int, help="Port of the API server on loopback.")
@click.option(
    "--certificates", required=True, type=_PATH, help="Folder with apiserver.crt and apiserver.key."
)
def main(kubeconfig: Path, folder: Path, server_port: int, certificates: Path) -> None:
    """Run the pods of every node of a cluster."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    asyncio.run(_serve(Settings(kubeconfig, folder, ("127.0.0.1", server_port), certificates)))


async def _serve(settings: Settings) -> None:
    async with Api.connect(str(settings.kubeconfig)) as api:
        await Agent(api, settings).run()


if __name__ == "__main__":
    main()
