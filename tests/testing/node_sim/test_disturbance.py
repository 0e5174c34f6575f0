import threading

from csiproxy.testing.node_sim.disturbance import Disturbance


def counting(names):
    died = []
    return {name: (lambda name=name: died.append(name)) for name in names}, died


def test_the_seed_decides_the_order_and_everyone_has_his_turn():
    components, _ = counting("abc")
    one, same, other = (Disturbance(components, seed, 30).order() for seed in (1, 1, 2))
    assert one == same != other
    assert all(set(one[at : at + 3]) == set("abc") for at in range(0, 30, 3))


def test_as_many_die_as_are_to(tmp_path):
    components, died = counting("ab")
    with Disturbance(components, 1, 4) as disturbance:
        disturbance.wait(4)
    assert disturbance.died == died
    assert len(died) == 4
    assert disturbance.problem is None


def test_one_that_does_not_come_back_ends_it():
    def fails():
        raise RuntimeError("gone")

    with Disturbance({"a": fails}, 1, 4) as disturbance:
        disturbance.wait(4)
    assert str(disturbance.problem) == "gone"
    assert disturbance.died == ["a"]


def test_leaving_it_ends_it():
    reached = threading.Event()
    with Disturbance({"a": reached.set}, 1, 10**6) as disturbance:
        assert reached.wait(60)
    assert not disturbance._thread.is_alive()
