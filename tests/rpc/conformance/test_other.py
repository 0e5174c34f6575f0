"""Another implementation (h2) judges every row: it agrees, or the row says in what it differs."""

import pytest
from tests.rpc.conformance.other import expected, judged
from tests.rpc.conformance.table import SERVER_ROWS


@pytest.mark.parametrize("name", SERVER_ROWS)
def test_another_implementation_agrees_or_differs_as_the_table_says(name: str) -> None:
    row = SERVER_ROWS[name]
    assert (judged(row) == expected(row)) is (row.h2 == ""), (judged(row), expected(row), row.h2)
