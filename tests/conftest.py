"""What every test may use."""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import settings

# A shared machine is sometimes slow; that is no failure of what is tested.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture
def foreign() -> Callable[[str], str]:
    """Find a program of another project; absent: skip on a laptop, fail under CI=true."""

    def find(program: str) -> str:
        path = shutil.which(program, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin")
        if path:
            return path
        reason = f"{program} is not installed (make system-packages installs it)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    return find
