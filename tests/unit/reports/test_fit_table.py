import re
from pathlib import Path

import pytest

from llmd_constructs import catalogue
from llmd_constructs.reports.fit_table import PATH, cell, fit_table
from llmd_constructs.serving.fit import Replica, fit

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"^\| (\S+/\S+) \|(.*)\|$", re.MULTILINE)


@pytest.mark.parametrize(
    ("model", "accelerator", "chips", "text"),
    [
        ("Qwen/Qwen3-32B", "nvidia-h100-80gb", 2, "305k · 7.47"),
        ("Qwen/Qwen2.5-3B-Instruct", "tpu-v6e", 4, "1.55M · 47.4"),
        ("meta-llama/Llama-3.1-8B-Instruct", "tpu-v6e", 1, "≤ 107847"),
        ("meta-llama/Llama-3.3-70B-Instruct", "tpu-v6e", 4, "needs 131 GiB"),
        ("Qwen/Qwen2.5-7B-Instruct", "tpu-v6e", 8, "heads"),
        ("Qwen/Qwen2.5-7B-Instruct", "tpu7x", 4, "heads"),
        ("openai/gpt-oss-20b", "nvidia-t4", 1, "type"),
        ("google/gemma-2b-it", "nvidia-t4", 1, "353k · 43.2"),
    ],
)
def test_a_cell_says_what_fits_or_why_not(model: str, accelerator: str, chips: int, text: str) -> None:
    """Figures where one request has room, else the reason."""
    assert cell(catalogue.model(model), catalogue.accelerator(accelerator), chips) == text


def test_the_table_is_complete() -> None:
    """Every model has a row, with no empty cell, below every accelerator."""
    sections = fit_table().split("\n## ")[1:]
    titles = [catalogue.accelerator(name).title for name in catalogue.ids("accelerator")]
    assert [section.splitlines()[0] for section in sections] == titles
    for section in sections:
        rows = ROW.findall(section)
        assert [name for name, _ in rows] == list(catalogue.ids("model"))
        assert all(text.strip() for _, cells in rows for text in cells.split("|"))


def test_the_committed_page_is_current() -> None:
    """It says what the catalogue says today."""
    assert (ROOT / PATH).read_text(encoding="utf-8") == fit_table()


def test_the_worked_example_is_what_the_formulas_give() -> None:
    """Every figure of the table in docs/model-fit.md."""
    accelerator = catalogue.accelerator("nvidia-h100-80gb")
    sized = fit(Replica(catalogue.model("Qwen/Qwen3-32B"), accelerator, 2, 2))
    figures = [
        *(
            f"{gib:.2f} GiB |"
            for gib in (sized.share_gib, sized.weights_gib, sized.overhead_gib, sized.cache_gib)
        ),
        f"{sized.kv_bytes_per_token:,} bytes |",
        f"| {sized.tokens:,} |",
        f"| {sized.requests:.2f} |",
    ]
    page = (ROOT / "docs" / "model-fit.md").read_text(encoding="utf-8")
    assert [figure for figure in figures if figure not in page] == []
