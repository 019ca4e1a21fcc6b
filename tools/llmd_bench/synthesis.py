"""The program that is measured as "this repository": the way of `synth --force`.

Usage: `python -m llmd_bench.synthesis ROOT OUTPUT APPLICATIONS RULES [MARKS]`. With 0 applications the environments
below ROOT are rendered as they are; otherwise the workload takes their place. RULES is `check`, or `skip` for a run
that does no more than other renderers. With MARKS the steps run one after the other, node's start among them, and
the times at which they end go there as JSON; without it, node starts beside the first of them, as in `synth`.
"""
# Imports are among what is measured, so they stand in the order of the run.
# ruff: noqa: PLC0415

import time

_marks = [("start Python", time.monotonic())]


def _mark(name: str) -> None:
    _marks.append((name, time.monotonic()))


import sys  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import NoReturn  # noqa: E402


def _one_by_one() -> None:
    """Import everything, with a mark after every part that costs."""
    import_module("llmd_constructs")  # chooses the node that jsii starts
    import_module("jsii")
    _mark("import jsii")
    from llmd_constructs.cli.node import without_messenger

    with without_messenger():
        import_module("constructs")
    _mark("start node")
    import_module("cdk8s")
    _mark("import cdk8s")
    import_module("llmd_constructs.config.load")
    import_module("llmd_constructs.rules.check")
    import_module("llmd_constructs.synthesis")
    _mark("import the rest")


def _files(root: Path, applications: int, rules: str) -> dict[str, str]:
    from llmd_constructs.config.load import load_environments

    loaded = load_environments(root)
    _mark("read environments")
    from llmd_bench.tree import workload_apps
    from llmd_constructs.argocd.assemble import assemble
    from llmd_constructs.environment import EnvironmentApp
    from llmd_constructs.plan.collect import collect
    from llmd_constructs.plan.extras import with_extras
    from llmd_constructs.synthesis import check_support, render

    check_support(loaded)
    if applications:
        apps = workload_apps(loaded, applications)
    else:
        apps = [EnvironmentApp(item.name, item.environment) for item in loaded]
    _mark("construct tree")
    plan = assemble([with_extras(collect(app), item) for app, item in zip(apps, loaded, strict=True)])
    _mark("plan")
    if rules == "check":
        from llmd_constructs.rules.check import check_plan

        check_plan(plan, loaded)  # what it finds in the workload is of no interest
        _mark("check the rules")
    files = render(plan)
    _mark("YAML")
    return files


def _synthesize(root: Path, output: Path, applications: int, rules: str) -> None:
    from llmd_constructs.cli.batch import batch

    with batch():
        files = _files(root, applications, rules)
        from llmd_constructs.cli.synth import FOLDERS
        from llmd_constructs.emit.tree import write_tree

        write_tree(output, files, FOLDERS)
        _mark("write files")


def _main(arguments: list[str]) -> NoReturn:
    from llmd_constructs.cli.ending import quick_end

    root, output, applications, rules, *marks = arguments
    with quick_end():
        if marks:
            _one_by_one()
        _synthesize(Path(root), Path(output), int(applications), rules)
        if marks:
            import json

            Path(marks[0]).write_text(json.dumps(_marks))
        sys.exit(0)


if __name__ == "__main__":
    _main(sys.argv[1:])
