"""What the SMB driver calls of the filesystem group, in both generations.

Where it has a share mapped, and a link to it made at the staging path, a row makes a link to a directory
there.
"""

from tests.conformance.recordings import (
    DRIVER,
    PLUGIN,
    POD,
    POD_MADE,
    STAGING,
    STAGING_MADE,
    TARGET,
    Driver,
    Step,
)

SHARE = "c:{share}"
LINK_REMOVED = Step(DRIVER, "Remove", {"path": TARGET})

SMB_V1 = Driver(
    versions={"filesystem": "v1"},
    stage=(
        STAGING_MADE,
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}, keep={"exists": "exists"}),
        Step(
            "filesystem",
            "IsSymlink",
            {"path": STAGING},
            {"is_symlink": False},
            needs="exists",
            done={"is_symlink": True},
        ),
        Step(DRIVER, "MkdirAll", {"path": STAGING}),
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}, keep={"exists": "exists"}),
        Step("filesystem", "Rmdir", {"path": STAGING, "force": True}, needs="exists"),
        Step(
            "filesystem",
            "PathExists",
            {"path": "c:{staging_parent}"},
            {"exists": True},
            keep={"parent_exists": "exists"},
        ),
        Step("filesystem", "Mkdir", {"path": "c:{staging_parent}"}, unless="parent_exists"),
        Step("filesystem", "CreateSymlink", {"source_path": SHARE, "target_path": STAGING}),
    ),
    publish=(
        POD_MADE,
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}, keep={"exists": "exists"}),
        Step("filesystem", "IsSymlink", {"path": TARGET}, needs="exists", done={"is_symlink": True}),
        Step(DRIVER, "MkdirAll", {"path": TARGET}),
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": True}, keep={"exists": "exists"}),
        Step("filesystem", "Rmdir", {"path": TARGET, "force": True}, needs="exists"),
        Step(
            "filesystem",
            "CreateSymlink",
            {"source_path": STAGING, "target_path": TARGET},
            after_failure=(LINK_REMOVED,),
        ),
    ),
    stats=(),
    expand=(),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "force": True}),),
    unstage=(Step("filesystem", "Rmdir", {"path": STAGING, "force": True}),),
)

SMB_BETA = Driver(
    versions={"filesystem": "v1beta1"},
    stage=(
        STAGING_MADE,
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}, keep={"exists": "exists"}),
        Step(
            "filesystem",
            "IsMountPoint",
            {"path": STAGING},
            {"is_mount_point": False},
            needs="exists",
            done={"is_mount_point": True},
        ),
        Step(DRIVER, "MkdirAll", {"path": STAGING}),
        Step("filesystem", "PathExists", {"path": STAGING}, {"exists": True}, keep={"exists": "exists"}),
        Step("filesystem", "Rmdir", {"path": STAGING, "context": POD, "force": True}, needs="exists"),
        Step(
            "filesystem",
            "PathExists",
            {"path": "c:{staging_parent}"},
            {"exists": True},
            keep={"parent_exists": "exists"},
        ),
        Step(
            "filesystem", "Mkdir", {"path": "c:{staging_parent}", "context": PLUGIN}, unless="parent_exists"
        ),
        Step("filesystem", "LinkPath", {"source_path": SHARE, "target_path": STAGING}),
    ),
    publish=(
        POD_MADE,
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": False}, keep={"exists": "exists"}),
        Step("filesystem", "IsMountPoint", {"path": TARGET}, needs="exists", done={"is_mount_point": True}),
        Step(DRIVER, "MkdirAll", {"path": TARGET}),
        Step("filesystem", "PathExists", {"path": TARGET}, {"exists": True}, keep={"exists": "exists"}),
        Step("filesystem", "Rmdir", {"path": TARGET, "context": POD, "force": True}, needs="exists"),
        Step(
            "filesystem",
            "LinkPath",
            {"source_path": STAGING, "target_path": TARGET},
            after_failure=(LINK_REMOVED,),
        ),
    ),
    stats=(),
    expand=(),
    unpublish=(Step("filesystem", "Rmdir", {"path": TARGET, "context": POD, "force": True}),),
    unstage=(Step("filesystem", "Rmdir", {"path": STAGING, "context": POD, "force": True}),),
)

SMB_DRIVERS = {"smb v1": SMB_V1, "smb beta": SMB_BETA}
