from llmd_constructs.config import InputError, Problem
from llmd_constructs.config.errors import MOST_PROBLEMS, capped, closest, described, dotted, shown


class TestProblem:
    """A problem as people read it."""

    def test_names_file_line_field_message_and_remedy(self) -> None:
        """A whole problem reads `file:line: field: message; instead`."""
        problem = Problem("environments/a.yaml", 3, "cluster.name", "is required", "add it")
        assert str(problem) == "environments/a.yaml:3: cluster.name: is required; add it"

    def test_leaves_out_what_it_does_not_have(self) -> None:
        """A part that is missing leaves no stray colon or semicolon."""
        assert str(Problem("a.yaml", None, "", "is empty")) == "a.yaml: is empty"
        assert str(Problem("a.yaml", None, "", "is empty", "fill it")) == "a.yaml: is empty; fill it"
        assert str(Problem("a.yaml", 2, "", "is broken")) == "a.yaml:2: is broken"

    def test_sorts_by_file_then_line(self) -> None:
        """Problems come in the order in which the files are read, the file as a whole first."""
        problems = [
            Problem("b", 1, "", "m"),
            Problem("a", 10, "", "m"),
            Problem("a", 9, "", "m"),
            Problem("a", None, "", "m"),
        ]
        assert [(problem.file, problem.line) for problem in sorted(problems)] == [
            ("a", None),
            ("a", 9),
            ("a", 10),
            ("b", 1),
        ]


class TestInputError:
    """Problems on their way to the command line."""

    def test_holds_each_problem_once_in_order(self) -> None:
        """The text is one line per problem, sorted, without repetition."""
        first, second = Problem("a", 1, "", "x"), Problem("a", 2, "", "y")
        error = InputError([second, first, second])
        assert error.problems == (first, second)
        assert str(error) == "a:1: x\na:2: y"


class TestWords:
    """The words that problems are made of."""

    def test_path_is_dotted(self) -> None:
        """Keys are joined by dots, indexes stand in brackets, unusual keys in quotes."""
        assert dotted(("deployments", 0, "engine")) == "deployments[0].engine"
        assert dotted((0, "a-b")) == "[0].a-b"
        assert (
            dotted(("nodeSelector", "cloud.google.com/gke-nodepool"))
            == 'nodeSelector["cloud.google.com/gke-nodepool"]'
        )
        assert dotted(()) == ""

    def test_long_text_is_cut(self) -> None:
        """A message stays readable whatever the user typed."""
        assert shown("a\nb") == r"'a\nb'"
        assert shown("x" * 100) == f"'{'x' * 59}…'"
        assert dotted(("x" * 100,)) == f'["{"x" * 59}…"]'

    def test_value_is_described_as_it_was_typed(self) -> None:
        """People recognise what they typed, not what YAML made of it."""
        assert described("three") == "the text 'three'"
        assert described(1.1, "1.10") == "the number 1.10"
        assert described(3) == "the number 3"
        assert described(value=True, literal="true") == "true"
        assert described(value=True, literal="yes") == "the word yes, which YAML reads as true"
        assert described(None, "null") == "empty"
        assert described({}) == "a mapping"
        assert described([]) == "a list"

    def test_closest_looks_through_spelling_habits(self) -> None:
        """Case, dashes and underscores do not hide what was meant."""
        names = ["maxModelLen", "dtype"]
        assert closest("max_model_len", names) == "maxModelLen"
        assert closest("MaxModelLength", names) == "maxModelLen"
        assert closest("DTYPE", names) == "dtype"
        assert closest("replicas", names) == ""
        assert closest("single", ["single-replica", "multi-model"]) == "single-replica"
        assert closest("float", ["float-one-of-many", "float-two-of-many"]) == ""
        assert closest("on", ["zone"]) == ""
        assert closest("", names) == ""
        assert closest("dtype" * 20, names) == ""

    def test_cap_says_that_there_is_more(self) -> None:
        """A list that is cut says so."""
        problems = [Problem("a", line, "", "x") for line in range(1, MOST_PROBLEMS + 2)]
        assert capped(problems[:-1]) == problems[:-1]
        assert len(capped(problems)) == MOST_PROBLEMS + 1
        assert (
            str(capped(problems)[-1]) == "a:100: has more than the 100 problems listed here; mend these first"
        )
