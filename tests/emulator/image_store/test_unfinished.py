"""Jobs that were begun are known until they have ended, across kills."""

from csiproxy.emulator.image_store.unfinished import SCHEMA, Job, Unfinished
from csiproxy.emulator.state import State

GUID = "11111111-2222-4333-8444-555555555555"


def test_a_job_is_known_to_the_next_start_until_it_has_ended(tmp_path):
    path = str(tmp_path / "state.db")
    state = State(path, SCHEMA)
    jobs = Unfinished(state)
    assert jobs.get(GUID) is None
    jobs.begin(GUID, Job.GROW)
    jobs.begin(GUID, Job.FORMAT)
    state.close()

    state = State(path, SCHEMA)
    jobs = Unfinished(state)
    assert jobs.get(GUID) is Job.FORMAT
    jobs.end(GUID)
    jobs.end(GUID)
    assert jobs.get(GUID) is None
    assert Unfinished(state).get(GUID) is None
    state.close()
