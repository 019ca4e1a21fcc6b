"""The constructs in somebody else's cdk8s app."""

from pathlib import Path

import cdk8s
import yaml

from llmd_constructs.application import Application, Component, Wave
from llmd_constructs.manifest import CONFIG_MAP


def test_an_application_takes_what_other_constructs_render_and_writes_it(tmp_path: Path) -> None:
    """A construct around one ApiObject is adopted as a dict, and `App.synth()` writes all manifests in order."""
    app = cdk8s.App(outdir=str(tmp_path))
    application = Application(app, "mine", wave=Wave.MODELS, namespace="here")
    component = Component(application, "part")
    own = component.add(CONFIG_MAP.manifest("own", "here", data={"key": "value"}))
    meta = cdk8s.ApiObjectMetadata(name="other", namespace="there")
    other = application.adopt(
        cdk8s.ApiObject(component, "other", api_version="v1", kind="Secret", metadata=meta)
    )

    app.synth()

    (file,) = tmp_path.iterdir()
    written = list(yaml.safe_load_all(file.read_text("utf-8")))
    assert written == [own, other]
    assert other["metadata"] == {"name": "other", "namespace": "there"}
