"""What `helm template` prints, read as Kubernetes would."""

from llmd_tools.helm import templated

_PRINTED = """\
---
# Source: any/templates/ConfigMap.yaml
kind: ConfigMap
data:
  text: |
    ---
    last line
---
# Source: any/templates/empty.yaml
---
# Source: any/templates/gateway/Gateway.yaml
kind: Gateway
"""


def test_each_object_comes_with_its_template() -> None:
    """Objects are told apart by the lines between them, and those without content are none."""
    assert [(each.template, each.manifest["kind"]) for each in templated(_PRINTED)] == [
        ("templates/ConfigMap.yaml", "ConfigMap"),
        ("templates/gateway/Gateway.yaml", "Gateway"),
    ]


def test_text_at_the_end_of_an_object_keeps_its_newline() -> None:
    """A block of text is what it is with the next object behind it, too."""
    assert templated(_PRINTED)[0].manifest["data"]["text"] == "---\nlast line\n"
