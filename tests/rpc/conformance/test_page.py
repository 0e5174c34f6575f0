"""The page of the documentation is what the table says."""

from tests.rpc.conformance.page import PATH, text


def test_the_page_is_what_the_table_says() -> None:
    assert PATH.read_text() == text(), "run python -m tests.rpc.conformance.page and commit what it writes"
