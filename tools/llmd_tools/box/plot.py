"""A load run as a picture: the share of answers that had begun after a time, one line for each way of routing."""

from collections.abc import Iterator, Sequence
from html import escape

from llmd_tools.box.load import Measured

_WIDTH, _HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 50, 90
_COLOURS = ("#0b6e4f", "#c8553d", "#3d5a80", "#7a4e9c")
_TICKS = 5
_TITLE = "Answers that had begun, by time to the first piece"
_NOTE = "The simulator's numbers, on one machine: they compare ways of routing and say nothing of a model."


def svg(runs: Sequence[Measured]) -> str:
    """The picture, as the text of an SVG file.

    Args:
        runs: At least one, with answers.
    """
    longest = max(max(run.first) for run in runs)
    parts = [*_axes(longest), *_lines(runs, longest), *_legend(runs)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
    )
    return "\n".join([f'{head} font-size="13">', f"<title>{_TITLE}</title>", *parts, "</svg>", ""])


def _x(milliseconds: float, longest: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * milliseconds / longest


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def _text(x: float, y: float, text: str, **attributes: str) -> str:
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{given}>{escape(text)}</text>'


def _axes(longest: float) -> Iterator[str]:
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
    yield _text(_LEFT, 24, _TITLE, font_size="16", font_weight="bold")
    for tick in range(_TICKS + 1):
        share, milliseconds = tick / _TICKS, longest * tick / _TICKS
        line = f'x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_y(share):.1f}" y2="{_y(share):.1f}"'
        yield f'<line {line} stroke="#dddddd"/>'
        yield _text(_LEFT - 8, _y(share) + 4, f"{share:.0%}", text_anchor="end")
        x = _x(milliseconds, longest)
        yield _text(x, _HEIGHT - _BOTTOM + 18, f"{milliseconds:.0f} ms", text_anchor="middle")
    yield _text(_LEFT, _HEIGHT - 10, _NOTE, fill="#555555", font_size="12")


def _lines(runs: Sequence[Measured], longest: float) -> Iterator[str]:
    for run, colour in zip(runs, _COLOURS, strict=False):
        points = [(_x(0, longest), _y(0))]
        for milliseconds, share in run.cumulated():
            points += [(_x(milliseconds, longest), points[-1][1]), (_x(milliseconds, longest), _y(share))]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _legend(runs: Sequence[Measured]) -> Iterator[str]:
    for row, (run, colour) in enumerate(zip(runs, _COLOURS, strict=False)):
        y = _HEIGHT - _BOTTOM + 40 + 18 * row
        yield f'<rect x="{_LEFT}" y="{y - 10}" width="14" height="10" fill="{colour}"/>'
        spread = " / ".join(str(each) for each in sorted(run.spread.values(), reverse=True))
        told = f"{run.name}: {run.cached:.0%} of prompt tokens from cache; answers by replica {spread}"
        yield _text(_LEFT + 22, y, told)
