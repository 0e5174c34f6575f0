"""csi-proxy audit lists its commands."""


def test_the_commands_are_listed(run):
    code, shown = run("--help")
    assert code == 0
    for name in ("verify", "tail", "query", "correlate"):
        assert f"\n  {name} " in shown
