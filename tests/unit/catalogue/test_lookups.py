"""How callers find an entry, and what they hear when there is none."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from llmd_constructs import catalogue

ROOT = Path(__file__).parents[3]
LOOK_UPS: dict[catalogue.Kind, Callable[[str], catalogue.Entry]] = {
    "accelerator": catalogue.accelerator,
    "machine_type": catalogue.machine_type,
    "model": catalogue.model,
    "kserve_release": catalogue.kserve_release,
    "picker_release": catalogue.picker_release,
    "istio_release": catalogue.istio_release,
    "engine_image": catalogue.engine_image,
    "auxiliary": catalogue.auxiliary,
    "upstream": catalogue.upstream,
    "gateway_class": catalogue.gateway_class,
}


def test_every_kind_has_a_look_up() -> None:
    """This test knows every kind of entry, so that the others below leave none out."""
    assert set(LOOK_UPS) == set(get_args(catalogue.Kind))


@pytest.mark.parametrize("kind", LOOK_UPS)
def test_every_listed_id_is_found(kind: catalogue.Kind) -> None:
    """What `ids` lists can be looked up."""
    assert catalogue.ids(kind)
    assert all(LOOK_UPS[kind](name) for name in catalogue.ids(kind))


@pytest.mark.parametrize("kind", LOOK_UPS)
def test_an_unknown_id_is_answered_with_near_and_allowed_ids(kind: catalogue.Kind) -> None:
    """A typing mistake is answered with the entry that was meant and with everything allowed."""
    meant = catalogue.ids(kind)[0]
    with pytest.raises(catalogue.UnknownEntry) as raised:
        LOOK_UPS[kind](f"{meant}x")
    assert meant in raised.value.near
    assert (ROOT / raised.value.file).is_file()
    assert f"'{meant}x'; did you mean " in str(raised.value)
    assert all(name in str(raised.value) for name in catalogue.ids(kind))


def test_an_unknown_id_without_neighbours_still_lists_what_is_allowed() -> None:
    """Nothing is suggested where nothing is near."""
    with pytest.raises(catalogue.UnknownEntry, match=r"^unknown Istio release 'latest'; known: 1\.26, 1\.27"):
        catalogue.istio_release("latest")


def test_an_unknown_id_is_a_key_error() -> None:
    """Callers that only expect a failed look-up need not know the catalogue's own error."""
    with pytest.raises(KeyError):
        catalogue.model("gpt-5")


@pytest.mark.parametrize("kind", ["tpu", "gpu", "render"])
def test_each_kind_of_engine_has_one_default(kind: catalogue.EngineKind) -> None:
    """A user who names no image gets exactly one answer."""
    images = [catalogue.engine_image(image) for image in catalogue.ids("engine_image")]
    assert [e for e in images if e.kind == kind and e.default] == [catalogue.default_engine(kind)]


def test_a_slice_shape_says_how_many_nodes_it_has() -> None:
    """One shape means different nodes on different machine types, and an impossible one means none."""
    assert catalogue.machine_type("ct6e-standard-8t").hosts("2x4") == 1
    assert catalogue.machine_type("ct6e-standard-4t").hosts("2x4") == 2
    assert catalogue.machine_type("ct6e-standard-4t").hosts("2x2x1") is None
