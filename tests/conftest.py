"""What every test may use."""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import settings

# A shared machine is sometimes slow; that is no failure of what is tested.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


def find_foreign(program: str) -> str:
    """Find a program of another project; absent: skip on a laptop, fail under CI=true."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin")
    if path:
        return path
    reason = f"{program} is not installed (make system-packages installs it)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def foreign() -> Callable[[str], str]:
    """See :func:`find_foreign`."""
    return find_foreign
