"""Whatever is done to a signed trail is found, and where it was done is told."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.audit.trails import KEY, TrailDirectory, killed, record

from csiproxy.audit import chain, files, head
from csiproxy.audit.chain import Position
from csiproxy.audit.key import Key
from csiproxy.audit.verification import MOST_UNSIGNED, NO_END, NO_SIGNATURE, Report, verify

KEYS = {KEY.id: KEY.secret}


def look(
    trail: TrailDirectory, keys: dict[str, bytes] = KEYS, *, with_head: bool = True, unsigned: bool = False
) -> Report:
    said = head.read(Path(trail.head_path).read_bytes()) if with_head else None
    return verify(trail.path, keys, lambda: said, unsigned=unsigned)


def texts(report: Report) -> str:
    return "\n".join(finding.text for finding in report.findings)


def about(report: Report) -> set[int]:
    return {seq for found in report.findings for seq in range(found.first, found.last + 1)}


@pytest.fixture
def trail(tmp_path: Path) -> TrailDirectory:
    """Twenty records in a file: 1 says which file, 9, 18 and 24 are checkpoints."""
    made = TrailDirectory(tmp_path / "t")
    made.write(range(20))
    return made


def test_a_trail_as_it_was_written_has_no_findings(trail):
    report = look(trail)
    assert (report.findings, report.notes) == ([], [])
    assert (report.files, report.records, report.checkpoints) == (1, len(trail.lines()), 3)
    assert report.sealed == report.last.seq == len(trail.lines())


def test_a_trail_over_many_files_and_starts_has_no_findings(tmp_path):
    trail = TrailDirectory(tmp_path / "t", largest=3000)
    for _ in range(3):
        trail.write(range(30))
    report = look(trail)
    assert report.findings == []
    assert report.files > 5


def test_what_retention_removed_is_not_missing_but_what_somebody_removed_is(tmp_path):
    trail = TrailDirectory(tmp_path / "t", largest=2000, kept=3)
    trail.write(range(60))
    assert look(trail).findings == []
    oldest, second, *_ = files.archives(trail.path)
    os.remove(oldest.path)
    assert f"file {oldest.number} is missing: 3 full ones are kept" in texts(look(trail))
    os.remove(second.path)
    assert f"files {oldest.number} to {second.number} are missing" in texts(look(trail))


def test_a_file_from_the_middle_is_missed(tmp_path):
    trail = TrailDirectory(tmp_path / "t", largest=2000)
    trail.write(range(40))
    archives = files.archives(trail.path)
    os.remove(archives[2].path)
    report = look(trail)
    assert f"file {archives[2].number} is missing" in texts(report)
    assert "records" in texts(report)


def test_a_removed_record_is_named(trail):
    lines = trail.lines()
    trail.replace(lines[:6] + lines[7:])
    report = look(trail)
    assert [(f.line, f.first, f.last) for f in report.findings] == [(7, 7, 7)]
    assert "record 7 is missing before record 8" in texts(report)


def test_a_changed_record_is_named(trail):
    lines = trail.lines()
    lines[6] = lines[6].replace(b'"number": 5', b'"number": 6')
    trail.replace(lines)
    report = look(trail)
    assert [(f.line, f.first, f.last) for f in report.findings] == [(7, 6, 7)]


def test_records_in_another_order_are_named(trail):
    lines = trail.lines()
    lines[5], lines[6] = lines[6], lines[5]
    trail.replace(lines)
    report = look(trail)
    assert about(report) == {6, 7}
    assert "record 6 stands behind record 7: lines were put into another order" in texts(report)


def test_a_trail_that_was_cut_off_is_told_by_its_head_alone(trail):
    """Behind a checkpoint, so that nothing in what remains is amiss."""
    trail.replace(trail.lines()[:10])
    assert "records 11 to 24 are missing at the end" in texts(look(trail))
    report = look(trail, with_head=False)
    assert [(f.first, f.text) for f in report.findings] == [(10, f"nothing shows {NO_END}")]
    report = look(trail, with_head=False, unsigned=True)
    assert (report.findings, report.unproven) == ([], [NO_END])


def rewrite(trail: TrailDirectory, lines: list[bytes]) -> None:
    """What somebody does who has no use for the key: a whole chain anew."""
    before, forged = chain.START, []
    for line in lines:
        link = chain.read(line[:-1])
        bare = line if link is None else link.text[: link.text.rindex(b',"seq":')] + b"}\n"
        made, before = chain.forge(before, bare)
        forged.append(made)
    trail.replace(forged)


def forge_from(trail: TrailDirectory, at: int, change: Callable[[bytes], bytes]) -> None:
    """What somebody does who knows the chain but not the key: change a line, make a new chain behind it."""
    lines = trail.lines()
    before = chain.read(lines[at - 1][:-1]).claim
    for number in range(at, len(lines)):
        text = chain.read(lines[number][:-1]).text
        bare = text[: text.rindex(b',"seq":')] + b"}\n"
        bare = change(bare) if number == at else bare
        lines[number], before = chain.forge(before, bare)
    trail.replace(lines)


def test_a_chain_that_was_made_anew_fails_at_the_next_checkpoint(trail):
    forge_from(trail, 12, lambda line: line.replace(b'"number": 10', b'"number": 99'))
    report = look(trail, with_head=False, unsigned=True)
    assert "checkpoint 18 was signed for other records than those from 10 to 17" in texts(report)
    assert 13 in about(report)
    assert report.findings[0].first == 10


def test_a_line_that_is_no_record_is_pointed_at(trail):
    lines = trail.lines()
    trail.replace([*lines[:3], b'{"rpc":"/v1.Disk/Rescan"}\n', *lines[3:]])
    report = look(trail)
    assert [(f.line, f.first, f.last) for f in report.findings] == [(4, 3, 4)]


def test_signatures_of_a_key_that_is_not_given_are_not_believed(trail):
    other = Key.read(b"11" * 32)
    report = look(trail, {other.id: other.secret})
    assert f"has the key {KEY.id}, which is not given" in texts(report)
    assert len(report.findings) == 1


def test_without_keys_nothing_shows_who_wrote_the_records(trail):
    report = look(trail, {})
    assert [(f.first, f.last, f.text) for f in report.findings] == [(1, 24, f"nothing shows {NO_SIGNATURE}")]
    report = look(trail, {}, unsigned=True)
    assert (report.findings, report.unproven) == ([], [NO_SIGNATURE])


def test_a_trail_written_anew_from_its_first_line_is_found_though_key_and_head_are_gone(trail):
    rewrite(trail, trail.lines()[:6] + trail.lines()[7:])
    report = look(trail, {}, with_head=False)
    assert texts(report) == f"nothing shows {NO_END}\nnothing shows {NO_SIGNATURE}"
    report = look(trail, {}, with_head=False, unsigned=True)
    assert (report.findings, report.unproven) == ([], [NO_END, NO_SIGNATURE])


def test_a_trail_written_anew_without_checkpoints_is_found_by_their_want(trail):
    """With a head that says what it should: the service alone may write that, so this is the least likely."""
    rewrite(trail, [trail.lines()[0], *(record(number) for number in range(MOST_UNSIGNED))])
    said = head.End(*[chain.read(trail.lines()[-1][:-1]).claim] * 2)
    report = verify(trail.path, KEYS, lambda: said)
    assert texts(report) == f"records 1 to {MOST_UNSIGNED + 1} are not signed, though that was long due"


def test_a_line_torn_by_a_kill_is_no_finding_before_or_after_the_next_start(trail):
    file = trail.open()
    file.write(record(1))
    next_line, position = chain.forge(file.position, record(2))
    file._head.begins(position)
    killed(file)
    with open(trail.path, "ab") as out:
        out.write(next_line[:40])
    report = look(trail)
    assert report.findings == []
    assert any("is torn: it is being written" in note for note in report.notes)
    trail.write([3])
    report = look(trail)
    assert report.findings == []
    assert any("is torn: it was being written when the service was killed" in note for note in report.notes)


def test_a_whole_record_that_somebody_tore_is_a_finding(trail):
    with open(trail.path, "r+b") as file:
        file.truncate(os.path.getsize(trail.path) - 20)
    assert "missing at the end" in texts(look(trail))
    trail.write([3])
    assert look(trail).findings != []


def test_records_cut_off_while_nobody_wrote_are_found_after_the_next_start(trail):
    trail.replace(trail.lines()[:10])
    file = trail.open()
    assert "it ends at record 10, but record 24 had been written" in file.finding
    file.close()
    assert "records 11 to 24 are missing before record 25" in texts(look(trail))


def test_a_trail_that_vanished_as_a_whole_is_found(trail):
    os.remove(trail.path)
    report = look(trail)
    assert "records 1 to 24 are missing at the end" in texts(report)
    assert {finding.file for finding in report.findings} == {trail.path}
    trail.write([1])
    assert "files" in texts(look(trail)) or "records 1 to 24" in texts(look(trail))


def test_a_file_that_was_taken_away_while_it_was_written_is_found_for_ever(trail):
    file = trail.open()
    os.remove(trail.path)
    file.write(record(1))
    file.close()
    trail.write([2])
    report = look(trail)
    assert texts(report) == "file 1 is missing: 100 full ones are kept"
    assert report.notes == [
        "file 1 (records 1 to 25) was removed while the service wrote it, and the service said so"
    ]


def test_a_running_service_may_write_while_its_trail_is_looked_at(trail):
    before = head.read(Path(trail.head_path).read_bytes())
    trail.write([1, 2])
    after = head.read(Path(trail.head_path).read_bytes())
    said = iter([before, after])
    assert verify(trail.path, KEYS, lambda: next(said)).findings == []


def mutations(lines: list[bytes]) -> st.SearchStrategy[tuple[list[bytes], set[int]]]:
    """A trail in another form, and the records that were touched."""
    count = len(lines)
    index = st.integers(0, count - 1)

    def removed(first: int, length: int) -> tuple[list[bytes], set[int]]:
        last = min(first + length, count)
        return lines[:first] + lines[last:], set(range(first + 1, last + 1))

    def changed(at: int, place: int, by: int) -> tuple[list[bytes], set[int]]:
        line = bytearray(lines[at])
        line[place % len(line)] ^= by
        return [*lines[:at], bytes(line), *lines[at + 1 :]], {at + 1, at + 2}

    def moved(from_: int, to: int) -> tuple[list[bytes], set[int]]:
        rest = lines[:from_] + lines[from_ + 1 :]
        return [*rest[:to], lines[from_], *rest[to:]], {from_ + 1, to + 1, to}

    def doubled(at: int, to: int) -> tuple[list[bytes], set[int]]:
        return [*lines[:to], lines[at], *lines[to:]], {at + 1, to, to + 1}

    def truncated(at: int) -> tuple[list[bytes], set[int]]:
        whole = b"".join(lines)
        kept = whole[: at % len(whole)]
        return [kept], set(range(kept.count(b"\n") + 1, count + 1))

    def forged(at: int, text: str) -> tuple[list[bytes], set[int]]:
        before = Position(0, bytes(32)) if at == 0 else chain.read(lines[at - 1][:-1]).claim
        line, position = chain.forge(before, b'{"rpc":"%b"}\n' % text.encode())
        return [*lines[:at], line, *lines[at:]], {position.seq, position.seq + 1}

    return st.one_of(
        st.builds(removed, index, st.integers(1, 5)),
        st.builds(changed, index, st.integers(0, 10_000), st.integers(1, 255)),
        st.builds(moved, index, index),
        st.builds(doubled, index, index),
        st.builds(truncated, st.integers(0, 1_000_000)),
        st.builds(forged, st.integers(0, count), st.text("abc", max_size=5)),
    )


@pytest.fixture(scope="module")
def signed(tmp_path_factory) -> TrailDirectory:
    made = TrailDirectory(tmp_path_factory.mktemp("signed") / "t", every=5)
    made.write(range(12))
    made.write(range(12))
    return made


@pytest.fixture(scope="module")
def original(signed) -> list[bytes]:
    return signed.lines()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_mutation_of_a_signed_trail_is_found_and_located(signed, original, data):
    lines, touched = data.draw(mutations(original))
    if lines == original:
        return
    signed.replace(lines)
    report = look(signed)
    assert report.findings, "nothing was found"
    assert about(report) & touched, (about(report), touched, texts(report))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(1, 20), letter=st.sampled_from("defgh"))
def test_a_chain_made_anew_from_anywhere_is_found_in_its_stretch(signed, original, at, letter):
    """The lines of the whole rest are as the chain wants them; the key is what is missing."""
    signed.replace(original)
    forge_from(signed, at, lambda line: line[:-2] + b',"forged":"%b"}\n' % letter.encode())
    for with_head in (True, False):
        report = look(signed, with_head=with_head, unsigned=True)
        assert report.findings
        first = report.findings[0]
        assert first.first <= at + 1 <= first.last + 1, texts(report)
