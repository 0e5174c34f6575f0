"""Every rule has one test, and every test a rule."""

import re
from collections import Counter
from pathlib import Path

from tests.csi_conformance.rules import RULES

HERE = Path(__file__).parent


def test_every_rule_has_exactly_one_test():
    text = "".join(path.read_text() for path in HERE.glob("test_*.py") if path != Path(__file__))
    carried = Counter(re.findall(r'must\("([a-z.-]+)"\)', text))
    assert set(carried) == set(RULES)
    assert [rule for rule, times in carried.items() if times != 1] == []


def test_a_rule_is_a_phrase():
    assert [text for text in RULES.values() if text != text.strip(" .") or "  " in text] == []
