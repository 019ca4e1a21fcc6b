from collections.abc import Callable
from pathlib import Path

import pytest

from llmd_constructs.config import InputError
from llmd_constructs.config.merge import resolve_extends
from llmd_constructs.config.source import Source

Resolve = Callable[[dict[str, str]], Source]


@pytest.fixture
def resolve(tmp_path: Path) -> Resolve:
    """Write files, and resolve the first."""

    def _resolve(files: dict[str, str]) -> Source:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return resolve_extends(tmp_path / next(iter(files)), tmp_path)

    return _resolve


@pytest.fixture
def told(resolve: Resolve) -> Callable[[dict[str, str]], list[str]]:
    """Write files that cannot be resolved, and give the problems."""

    def _told(files: dict[str, str]) -> list[str]:
        with pytest.raises(InputError) as caught:
            resolve(files)
        return [str(problem) for problem in caught.value.problems]

    return _told


class TestMerging:
    """What comes out of a file and its bases."""

    def test_a_file_without_bases_is_itself(self, resolve: Resolve) -> None:
        """Nothing is changed where nothing is extended, a null included."""
        source = resolve({"a.yaml": "x: 1\nz: null\n"})
        assert source.data == {"x": 1, "z": None}
        assert source.files == ("a.yaml",)

    def test_mappings_merge_key_by_key_and_the_file_wins(self, resolve: Resolve) -> None:
        """What both set is the file's; what only one sets stays; `extends` itself is gone."""
        source = resolve(
            {
                "a.yaml": "extends: base.yaml\nm: {x: 2, deep: {q: 2}}\n",
                "base.yaml": "m: {x: 1, z: 1, deep: {p: 1}}\nb: 1\n",
            },
        )
        assert source.data == {"m": {"x": 2, "z": 1, "deep": {"p": 1, "q": 2}}, "b": 1}
        assert source.file == "a.yaml"
        assert source.files == ("base.yaml", "a.yaml")

    def test_later_bases_win_over_earlier_ones(self, resolve: Resolve) -> None:
        """Bases are laid over each other in the order of the list."""
        source = resolve(
            {
                "environments/a.yaml": "extends: [base/one.yaml, ../shared/two.yaml]\nc: 3\n",
                "environments/base/one.yaml": "a: 1\nb: 1\nc: 1\n",
                "shared/two.yaml": "b: 2\nc: 2\n",
            },
        )
        assert source.data == {"a": 1, "b": 2, "c": 3}
        assert source.files == ("environments/base/one.yaml", "shared/two.yaml", "environments/a.yaml")

    def test_bases_have_bases(self, resolve: Resolve) -> None:
        """A base is resolved first, its paths relative to itself; a base that two share is read once."""
        source = resolve(
            {
                "a.yaml": "extends: [x/one.yaml, x/two.yaml]\n",
                "x/one.yaml": "extends: root.yaml\nb: 1\n",
                "x/two.yaml": "extends: [root.yaml]\nc: 2\n",
                "x/root.yaml": "a: 0\nb: 0\n",
            },
        )
        assert source.data == {"a": 0, "b": 0, "c": 2}
        assert source.files == ("x/root.yaml", "x/one.yaml", "x/two.yaml", "a.yaml")

    def test_lists_replace_lists(self, resolve: Resolve) -> None:
        """A list of anything but named mappings is taken as a whole."""
        source = resolve(
            {
                "a.yaml": "extends: b.yaml\np: [3]\nq: [{name: b, v: 2}, plain]\nr: []\ns: [{x: 1}]\n",
                "b.yaml": "p: [1, 2]\nq: [{name: b, w: 1}]\nr: [{name: a}]\ns: [{name: a}]\n",
            },
        )
        assert source.data == {"p": [3], "q": [{"name": "b", "v": 2}, "plain"], "r": [], "s": [{"x": 1}]}

    def test_named_entries_merge_by_name(self, resolve: Resolve) -> None:
        """Entries keep the base's order, and new ones come last."""
        source = resolve(
            {
                "a.yaml": "extends: b.yaml\npools:\n  - {name: new}\n  - {name: tpu, max: 9}\n",
                "b.yaml": "pools:\n  - {name: cpu, max: 1}\n  - {name: tpu, max: 3, min: 0}\n",
            },
        )
        assert source.data == {
            "pools": [{"name": "cpu", "max": 1}, {"name": "tpu", "max": 9, "min": 0}, {"name": "new"}]
        }

    def test_a_name_that_stands_twice_stays_twice(self, resolve: Resolve) -> None:
        """Merging does not hide a name used twice; the model is to refuse it."""
        twice = resolve(
            {
                "a.yaml": "extends: b.yaml\nl: [{name: x, v: 1}, {name: x, v: 2}]\n",
                "b.yaml": "l: [{name: x}]\n",
            }
        )
        assert twice.data == {"l": [{"name": "x", "v": 1}, {"name": "x", "v": 2}]}
        below = resolve(
            {"a.yaml": "extends: b.yaml\nl: [{name: x, v: 1}]\n", "b.yaml": "l: [{name: x}, {name: x}]\n"}
        )
        assert below.data == {"l": [{"name": "x", "v": 1}, {"name": "x"}]}

    def test_null_takes_a_key_away(self, resolve: Resolve) -> None:
        """A null removes what a base sets, at any depth; a later file can set it anew."""
        files = {
            "a.yaml": "extends: b.yaml\nm: {x: null, o: {deep: null, w: 1}}\nl: [{name: p, v: null}]\nk: [{v: null, w: 1}]\ngone: ~\n",
            "b.yaml": "m: {x: 1, z: 1}\nl: [{name: p, v: 1}]\n",
        }
        assert resolve(files).data == {"m": {"z": 1, "o": {"w": 1}}, "l": [{"name": "p"}], "k": [{"w": 1}]}
        assert resolve({"c.yaml": "extends: a.yaml\nm: {x: {k: 7}}\n", **files}).data == {
            "m": {"x": {"k": 7}, "z": 1, "o": {"w": 1}},
            "l": [{"name": "p"}],
            "k": [{"w": 1}],
        }

    def test_another_kind_of_value_replaces(self, resolve: Resolve) -> None:
        """A mapping over a text, or a text over a mapping, is the file's."""
        source = resolve(
            {"a.yaml": "extends: b.yaml\np: {q: 1}\nr: x\ns: {}\n", "b.yaml": "p: x\nr: {q: 1}\ns: [1]\n"}
        )
        assert source.data == {"p": {"q": 1}, "r": "x", "s": {}}


class TestOrigin:
    """Where merged values come from."""

    def test_every_value_keeps_its_file_and_line(self, resolve: Resolve) -> None:
        """After a merge it can still be shown where a value came from, and how it was typed."""
        source = resolve(
            {
                "a.yaml": "extends: b.yaml\nm:\n  x: 2\nl:\n  - name: p\n    v: 1.10\n",
                "b.yaml": "m:\n  x: 1\n  z: 1_0\nl:\n  - name: o\n  - name: p\n    w: 1\n",
            },
        )

        def origin(*path: str | int) -> tuple[str, int]:
            position = source.position(path)
            return position.file, position.line

        assert origin("m", "x") == ("a.yaml", 3)
        assert origin("m", "z") == ("b.yaml", 3)
        assert origin("l", 0, "name") == ("b.yaml", 5)
        assert origin("l", 1, "v") == ("a.yaml", 6)
        assert origin("l", 1, "w") == ("b.yaml", 7)
        assert source.literal(("l", 1, "v")) == "1.10"
        assert source.literal(("m", "z")) == "1_0"

    def test_a_removed_key_is_found_where_it_was_removed(self, resolve: Resolve) -> None:
        """What is missing because of a null is shown at the null."""
        source = resolve({"a.yaml": "extends: b.yaml\nm:\n  x: null\n", "b.yaml": "m: {x: 1}\n"})
        assert (source.position(("m", "x")).file, source.position(("m", "x")).line) == ("a.yaml", 3)


class TestRefusals:
    """Bases that cannot be taken."""

    @pytest.mark.parametrize(
        ("extends", "expected"),
        [
            ("b.yml", "a.yaml:1: extends: 'b.yml' is not there; did you mean b.yaml?"),
            ("[x.json]", "a.yaml:1: extends[0]: 'x.json' is not there; check its name"),
            ("folder", "a.yaml:1: extends: 'folder' is a folder; name a YAML file"),
            ("link.yaml", "a.yaml:1: extends: 'link.yaml' is a symlink; put the file itself there"),
            (
                "/etc/hosts",
                "a.yaml:1: extends: '/etc/hosts' is not a relative path; write it relative to this file",
            ),
            (
                "~/x.yaml",
                "a.yaml:1: extends: '~/x.yaml' is not a relative path; write it relative to this file",
            ),
            (
                "folder/../../x.yaml",
                "a.yaml:1: extends: 'folder/../../x.yaml' lies outside the repository; put the file inside",
            ),
            ("..", "a.yaml:1: extends: '..' lies outside the repository; put the file inside"),
            (
                "3",
                "a.yaml:1: extends: must be the path of a file, is the number 3; write it relative to this file",
            ),
            ("", "a.yaml:1: extends: must be the path of a file, is empty; write it relative to this file"),
            ("''", "a.yaml:1: extends: must be the path of a file, is empty; write it relative to this file"),
            (
                "{x: 1}",
                "a.yaml:1: extends: must be the path of a file, is a mapping; write it relative to this file",
            ),
            (
                "[[b.yaml]]",
                "a.yaml:1: extends[0]: must be the path of a file, is a list; write it relative to this file",
            ),
            (
                "a.yaml",
                "a.yaml:1: extends: files extend each other in a circle: a.yaml -> a.yaml; take one of them out",
            ),
            (
                f"[{'b.yaml, ' * 21}]",
                "a.yaml:1: extends: lists more than 20 files; merge some of them by hand",
            ),
        ],
    )
    def test_a_base_that_cannot_be_taken(
        self, told: Callable[[dict[str, str]], list[str]], tmp_path: Path, extends: str, expected: str
    ) -> None:
        """The problem stands at the entry that names the base."""
        (tmp_path / "folder").mkdir()
        (tmp_path / "link.yaml").symlink_to(tmp_path / "b.yaml")
        assert told({"a.yaml": f"extends: {extends}\n", "b.yaml": "x: 1\n"}) == [expected]

    def test_circles_are_named_in_full(self, told: Callable[[dict[str, str]], list[str]]) -> None:
        """A circle is shown file by file, at the entry that closes it."""
        files = {
            "a.yaml": "extends: x/b.yaml\n",
            "x/b.yaml": "m: 1\nextends:\n- c.yaml\n",
            "x/c.yaml": "extends: b.yaml\n",
        }
        circle = "x/b.yaml -> x/c.yaml -> x/b.yaml"
        expected = f"x/c.yaml:1: extends: files extend each other in a circle: {circle}; take one of them out"
        assert told(files) == [expected]

    def test_all_problems_of_all_files_come_at_once(
        self, told: Callable[[dict[str, str]], list[str]]
    ) -> None:
        """Bases are read to the end, each at its own file and line; two files that name a missing base both say so."""
        files = {
            "a.yaml": "extends: [b.yaml, gone.yaml, c.yaml]\n",
            "b.yaml": "extends: gone.yaml\nx: *y\n",
            "c.yaml": "extends: gone.yaml\nx: 1\n",
        }
        assert told(files) == [
            "a.yaml:1: extends[1]: 'gone.yaml' is not there; check its name",
            "b.yaml:2: x: uses the alias '*y'; write the value out, or share values through `extends:`",
            "c.yaml:1: extends: 'gone.yaml' is not there; check its name",
        ]

    def test_chains_have_an_end(self, told: Callable[[dict[str, str]], list[str]]) -> None:
        """A chain of bases without end is refused, so it cannot take for ever."""
        files = {f"{i}.yaml": f"extends: {i + 1}.yaml\n" for i in range(30)}
        assert told(files) == [
            "19.yaml:1: extends: is the end of a chain of more than 20 files; merge some of them by hand",
        ]

    def test_shared_bases_do_not_multiply(self, resolve: Resolve) -> None:
        """Nineteen levels that each name the next twice are read once each."""
        files = {f"{i}.yaml": f"extends: [{i + 1}.yaml, ./{i + 1}.yaml]\n" for i in range(19)}
        source = resolve({**files, "19.yaml": "x: 1\n"})
        assert source.data == {"x": 1}
        assert len(source.files) == 20
