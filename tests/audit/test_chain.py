"""Lines are chained by digests that nothing in a record can imitate, and checkpoints signed as a whole."""

import json

from hypothesis import given
from hypothesis import strategies as st

from csiproxy.audit import chain
from csiproxy.audit.chain import START, Position

JSON = st.dictionaries(st.text(), st.text() | st.integers(), min_size=1)


@given(st.lists(JSON, min_size=1, max_size=5))
def test_lines_follow_each_other_and_remain_json(records):
    at = START
    for record in records:
        line, position = chain.forge(at, json.dumps(record).encode() + b"\n")
        link = chain.read(line[:-1])
        assert link is not None
        assert link.follows(at)
        assert link.claim == position
        assert not link.follows(position)
        assert json.loads(line)["hash"] == position.digest.hex()
        at = position


@given(st.text())
def test_what_a_request_says_cannot_pose_as_the_end_of_a_line(text):
    fake = f'{text},"seq":9,"hash":"{"0" * 64}"}}'
    line, position = chain.forge(START, json.dumps({"path": fake}).encode() + b"\n")
    assert chain.read(line[:-1]).claim == position
    assert position.seq == 1


@given(st.binary(max_size=300))
def test_anything_else_is_no_link(junk):
    found = chain.read(junk)
    assert found is None or junk.startswith(found.text)


def test_a_digest_is_over_all_that_came_before():
    first = [chain.forge(START, b'{"a":1}\n')[1], chain.forge(START, b'{"a":2}\n')[1]]
    second = [chain.forge(position, b'{"b":1}\n')[1] for position in first]
    assert second[0].digest != second[1].digest


def test_a_signature_is_over_the_whole_checkpoint():
    key, other = b"k" * 32, b"o" * 32
    signed = chain.sign(key, b'{"event":"checkpoint","covers":7}\n')
    line, _ = chain.forge(Position(7, b"d" * 32), signed)
    link = chain.read(line[:-1])
    assert chain.signed(key, link)
    assert not chain.signed(other, link)
    changed = chain.read(line[:-1].replace(b'"covers":7', b'"covers":8'))
    assert not chain.signed(key, changed)
    bare = chain.read(chain.forge(START, b'{"event":"checkpoint"}\n')[0][:-1])
    assert not chain.signed(key, bare)
