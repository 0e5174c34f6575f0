"""Every RPC that takes a path, and what is asked of it: newest and oldest version of each contract."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.attack.ground import (
    LEVELS,
    LINK_OUTSIDE,
    MADE,
    ONLY_IN_VOLUME,
    ONLY_OUTSIDE,
    PLUGINS,
    PODS,
    TOPS,
    Ground,
)

Fields = Mapping[str, object]
_MADE_NAMES = 24
_UP = (0, 0, 0, 0, 1, 1, 2, 3)
"""How many levels above a leaf a path ends, each as often as it stands here."""


@dataclass(frozen=True)
class Aim:
    """Where a shot goes, by chance."""

    ground: Ground
    chance: random.Random

    def path(self, top: str = "", *, leaf: str = "") -> str:
        """A path in one of the trees; with a leaf, that in one of its directories."""
        depth = len(LEVELS) - self.chance.choice(_UP)
        names = [self.chance.choice(level) for level in LEVELS[:depth]]
        return "\\".join((top or self.chance.choice(TOPS), *names, *([leaf] if leaf else [])))

    def leaf(self, top: str = "") -> str:
        """A path of full length: what lies there is mostly empty."""
        return "\\".join((top or self.chance.choice(TOPS), *(self.chance.choice(level) for level in LEVELS)))

    def made(self, top: str = "") -> str:
        """A path whose last name is one that clients alone give."""
        parent = self.leaf(top).rpartition("\\")[0]
        return f"{parent}\\{MADE}{self.chance.randrange(_MADE_NAMES)}"

    def either(self, top: str = "") -> str:
        """A path of the trees, or one of a client's own name."""
        return self.chance.choice((self.path, self.made))(top)

    def forbidden(self, *names: str, top: str = "") -> str:
        """A path of the trees, or one that exists nowhere but outside."""
        return self.path(top, leaf=self.chance.choice(("", *names)))

    def volume(self) -> str:
        """A volume that may be mounted."""
        return self.chance.choice(self.ground.volumes)

    def flag(self) -> bool:
        """Yes or no."""
        return self.chance.random() < 0.5


_CONTEXTS = (PLUGINS, PODS)


def _service_path(aim: Aim, field: str = "path") -> Fields:
    context = aim.chance.randrange(2)
    return {field: aim.either(_CONTEXTS[context]), "context": context}


def _link(aim: Aim) -> Fields:
    """A link of a group: the source is what it leads to."""
    return {"source_path": aim.path(), "target_path": aim.either()}


def _service_link(aim: Aim) -> Fields:
    """A link of CSIProxyService: the source is the link, and may take the place of an empty directory.

    When that is taken back there is a new directory, so it happens to no name that stands for something made.
    """
    return {"source_path": aim.leaf(PODS), "target_path": aim.path(PLUGINS)}


def _exists(aim: Aim) -> Fields:
    return {"path": aim.forbidden(ONLY_OUTSIDE, ONLY_IN_VOLUME)}


def _service_exists(aim: Aim) -> Fields:
    return {"path": aim.forbidden(ONLY_OUTSIDE, ONLY_IN_VOLUME, top=aim.chance.choice(_CONTEXTS))}


def _question(aim: Aim) -> Fields:
    return {"path": aim.forbidden(LINK_OUTSIDE)}


Shot = Callable[[Aim], Fields]

SHOTS: Mapping[tuple[str, str], Shot] = {
    ("filesystem/v2alpha1", "PathExists"): _exists,
    ("filesystem/v2alpha1", "Mkdir"): lambda aim: {"path": aim.either()},
    ("filesystem/v2alpha1", "Rmdir"): lambda aim: {"path": aim.either(), "force": aim.flag()},
    ("filesystem/v2alpha1", "RmdirContents"): lambda aim: {"path": aim.either()},
    ("filesystem/v2alpha1", "CreateSymlink"): _link,
    ("filesystem/v2alpha1", "IsSymlink"): _question,
    ("filesystem/v1alpha1", "PathExists"): _exists,
    ("filesystem/v1alpha1", "Mkdir"): lambda aim: {"path": aim.either(), "context": aim.chance.randrange(2)},
    ("filesystem/v1alpha1", "Rmdir"): lambda aim: {"path": aim.either(), "context": 1, "force": aim.flag()},
    ("filesystem/v1alpha1", "LinkPath"): _link,
    ("filesystem/v1alpha1", "IsMountPoint"): _question,
    ("volume/v2alpha1", "MountVolume"): lambda aim: {"volume_id": aim.volume(), "target_path": aim.leaf()},
    ("volume/v2alpha1", "UnmountVolume"): lambda aim: {"volume_id": aim.volume(), "target_path": aim.leaf()},
    ("volume/v2alpha1", "GetVolumeIDFromTargetPath"): lambda aim: {"target_path": aim.leaf()},
    ("volume/v2alpha1", "GetClosestVolumeIDFromTargetPath"): lambda aim: {
        "target_path": aim.forbidden(ONLY_OUTSIDE)
    },
    ("volume/v1alpha1", "MountVolume"): lambda aim: {"volume_id": aim.volume(), "path": aim.leaf()},
    ("volume/v1alpha1", "DismountVolume"): lambda aim: {"volume_id": aim.volume(), "path": aim.leaf()},
    ("volume/v1beta2", "GetVolumeIDFromMount"): lambda aim: {"mount": aim.leaf()},
    ("csi-proxy/v1beta1", "PathExists"): _service_exists,
    ("csi-proxy/v1beta1", "Mkdir"): _service_path,
    ("csi-proxy/v1beta1", "Rmdir"): _service_path,
    ("csi-proxy/v1beta1", "MountVolume"): lambda aim: {
        "volume_device": aim.volume(), "target_path": aim.leaf(PLUGINS)
    },
    ("csi-proxy/v1beta1", "DismountVolume"): lambda aim: {"volume_device": aim.volume()},
    ("csi-proxy/v1beta1", "LinkPath"): _service_link,
    ("csi-proxy/v1beta1", "UnlinkPath"): lambda aim: {"path": aim.either(PODS)},
    ("csi-proxy/v1alpha1", "PathExists"): _service_exists,
    ("csi-proxy/v1alpha1", "Mkdir"): _service_path,
    ("csi-proxy/v1alpha1", "Rmdir"): _service_path,
    ("csi-proxy/v1alpha1", "FormatVolume"): lambda aim: {
        "volume_device": aim.volume(), "type": 0, "staging_path": aim.leaf(PLUGINS)
    },
    ("csi-proxy/v1alpha1", "LinkPath"): _service_link,
}  # fmt: skip

NOT_FIRED: Mapping[tuple[str, str], str] = {
    ("csi-proxy/v1alpha1", "MountSMBShare"): "needs a server",
    ("csi-proxy/v1beta1", "MountSMBShare"): "needs a server",
    ("csi-proxy/v1beta1", "UnmountSMBShare"): "needs a server",
    ("smb/v1alpha1", "NewSmbGlobalMapping"): "needs a server",
    ("smb/v1", "NewSmbGlobalMapping"): "needs a server",
}
"""RPCs with a path of the node in their request that the race leaves out, and why."""


def betrayed(ground: Ground, fields: Fields, reply: Mapping[str, object], text: str) -> str:
    """What in an answer shows that the proxy has looked outside; empty when nothing does."""
    asked = str(fields.get("path", fields.get("target_path", "")))
    name = asked.rpartition("\\")[2]
    if name in (ONLY_OUTSIDE, ONLY_IN_VOLUME, LINK_OUTSIDE) and (
        reply.get("exists") or reply.get("is_symlink") or reply.get("is_mount_point")
    ):
        return f"{asked} exists outside alone, and is said to be there"
    if ground.secret in (reply.get("volume_id"), reply.get("volumeId")):
        return f"{asked} was followed to the volume that is mounted outside alone"
    if "canary" in text and "canary" not in asked:
        return f"an error names what is outside: {text}"
    return ""
