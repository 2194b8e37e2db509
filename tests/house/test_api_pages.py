"""docs/api says what the route tables say."""

import re

from pilvi.ops.openapi.__main__ import FOLDER, pages

WRITE = "run `.venv/bin/python -m pilvi.ops.openapi` and commit docs/api"


def test_the_pages_are_fresh() -> None:
    texts = pages()
    assert sorted(texts) == sorted(path.name for path in FOLDER.iterdir()), WRITE
    assert [name for name, text in texts.items() if (FOLDER / name).read_text() != text] == [], WRITE


def test_links_within_a_page_lead_to_a_heading() -> None:
    for name, text in pages().items():
        headings = {
            re.sub(r"[^a-z0-9_ -]", "", h.lower()).replace(" ", "-")
            for h in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }
        assert [link for link in re.findall(r"\]\(#([^)]*)\)", text) if link not in headings] == [], name
