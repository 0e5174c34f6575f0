"""What is generated of the pages is what the tables say, and links between the pages lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", ["versions.md", "errors.md", "events.md", "emulator.md", "windows.md"])
def test_a_generated_page_is_what_the_tables_say(page: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "tools" / "generate_docs.py"), str(tmp_path)], check=True)
    assert (ROOT / "docs" / page).read_text() == (tmp_path / page).read_text(), (
        "run tools/generate_docs.py and commit what it writes"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_of_a_page_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    relative = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in relative if not (page.parent / link).exists()] == []
