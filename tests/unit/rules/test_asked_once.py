"""What rules ask again is answered from memory."""

from typing import Any, cast

from llmd_constructs.rules.view import View, asked_once


def _view() -> View:
    return View(plan=cast("Any", None), source=cast("Any", None))


def test_an_answer_is_kept_for_each_view_and_each_way_to_ask() -> None:
    """The same question about the same view is answered once; another view or another argument is another question."""
    asked: list[tuple[str, int]] = []

    @asked_once
    def question(_view: View, name: str, *, number: int = 0) -> int:
        asked.append((name, number))
        return len(asked)

    one, two = _view(), _view()
    answers = [question(one, "a"), question(one, "a"), question(two, "a"), question(one, "b")]
    answers += [question(one, "a", number=1), question(one, "a", number=2), question(one, "a", number=1)]
    assert answers == [1, 1, 2, 3, 4, 5, 4]


def test_questions_do_not_share_answers() -> None:
    """Two questions with the same arguments are two."""
    view = _view()
    assert asked_once(lambda _: "one")(view) == "one"
    assert asked_once(lambda _: "two")(view) == "two"
