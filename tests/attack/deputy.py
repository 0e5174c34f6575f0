"""Confused deputies: chains of legal calls that would have the proxy do outside what nobody may do there."""

import os
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tests.attack import canaries
from tests.attack.ground import KUBELET, LEVELS, ONLY_IN_VOLUME, OUTSIDE, PLUGINS, PODS, Ground
from tests.attack.suite import Attack, Result
from tests.attack.target import Answer, Own, Target

_LEAF = "\\".join(level[0] for level in LEVELS)
STAGED = rf"{PLUGINS}\{_LEAF}"
OTHER = rf"{PLUGINS}\x\a1\b0\l0"
LINK = PODS + r"\chain"
FS, VOLUME, SERVICE = "filesystem/v2alpha1", "volume/v2alpha1", "csi-proxy/v1beta1"


@dataclass(frozen=True)
class Step:
    """One call of a chain; ``refused``: a proxy that does it has been led outside."""

    contract: str
    rpc: str
    fields: Mapping[str, object]
    refused: bool = False


Chain = Callable[[Ground], list[Step | Callable[[], None]]]


def _mount(ground: Ground, path: str = STAGED, *, refused: bool = False) -> Step:
    return Step(VOLUME, "MountVolume", {"volume_id": ground.volumes[0], "target_path": path}, refused)


def _link(source: str, target: str = LINK, *, refused: bool = False) -> Step:
    return Step(FS, "CreateSymlink", {"source_path": source, "target_path": target}, refused)


def _rmdir(path: str, *, force: bool = True, refused: bool = False) -> Step:
    return Step(FS, "Rmdir", {"path": path, "force": force}, refused)


def _plant(host_path: str, target: str) -> Callable[[], None]:
    def plant() -> None:
        with suppress(FileExistsError):
            os.symlink(target, host_path)

    return plant


def _through_a_link(ground: Ground) -> list[Step | Callable[[], None]]:
    """Link to a mounted volume, then work and remove through the link."""
    return [
        _mount(ground),
        _link(STAGED),
        _mount(ground, LINK + r"\x", refused=True),
        Step(FS, "Mkdir", {"path": LINK + r"\made"}, True),
        _rmdir(LINK + "\\" + ONLY_IN_VOLUME, refused=True),
        Step(FS, "RmdirContents", {"path": LINK}, True),
        _rmdir(LINK),
        _rmdir(STAGED),
    ]


def _tree_over_a_mount(ground: Ground) -> list[Step | Callable[[], None]]:
    """Mount deep in a tree, then remove the tree."""
    return [_mount(ground), _rmdir(PLUGINS + r"\x\a0"), Step(FS, "RmdirContents", {"path": PLUGINS + r"\x"})]


def _from_inside_a_volume(ground: Ground) -> list[Step | Callable[[], None]]:
    """A pod plants a link in its volume; who works through the mounted volume would follow it outside."""
    files = _files(ground)
    return [
        _mount(ground),
        _plant(os.path.join(files, "planted"), ground.on_host(OUTSIDE)),
        Step(FS, "Mkdir", {"path": STAGED + r"\planted\made"}, True),
        _rmdir(STAGED + r"\planted\x", refused=True),
        _link(STAGED + r"\planted", refused=True),
        _mount(ground, STAGED + r"\planted\x", refused=True),
        Step(VOLUME, "GetClosestVolumeIDFromTargetPath", {"target_path": STAGED + r"\planted\x"}, True),
        lambda: os.unlink(os.path.join(files, "planted")),
        _rmdir(STAGED),
    ]


def _a_link_as_a_prefix(ground: Ground) -> list[Step | Callable[[], None]]:
    """A pod's directory becomes a link that leads outside, and the driver goes on with its path."""
    pod = ground.on_host(PODS + r"\x\a1")

    def swap() -> None:
        os.rename(pod, pod + "-old")
        os.symlink(ground.on_host(OUTSIDE), pod)

    def back() -> None:
        os.unlink(pod)
        os.rename(pod + "-old", pod)

    return [
        swap,
        Step(FS, "Mkdir", {"path": PODS + r"\x\a1\made"}, True),
        _mount(ground, PODS + r"\x\a1\x", refused=True),
        _link(STAGED, PODS + r"\x\a1\made", refused=True),
        Step(SERVICE, "LinkPath", {"source_path": PODS + r"\x\a1\made", "target_path": STAGED}, True),
        Step(FS, "RmdirContents", {"path": PODS + r"\x\a1"}, True),
        back,
    ]


def _links_to_links(ground: Ground) -> list[Step | Callable[[], None]]:
    """A link to a link to a mount, whose end is then asked for and removed; a link to what holds it."""
    return [
        _mount(ground),
        _link(STAGED),
        _link(LINK, PODS + r"\again"),
        Step(VOLUME, "GetVolumeIDFromTargetPath", {"target_path": PODS + r"\again"}),
        _link(PODS, PODS + r"\loop"),
        _rmdir(PODS + r"\loop\again", refused=True),
        _rmdir(PODS + r"\loop"),
        _rmdir(PODS + r"\again"),
        _rmdir(LINK),
        _rmdir(STAGED),
    ]


def _what_is_the_operators(ground: Ground) -> list[Step | Callable[[], None]]:
    """The prefixes, what holds them, the system's disk, and what others have mounted outside."""
    return [
        _rmdir(KUBELET, refused=True),
        _rmdir(PODS, refused=True),
        _rmdir(KUBELET + r"\plugins", refused=True),
        Step(FS, "RmdirContents", {"path": KUBELET}, True),
        _mount(ground, PODS, refused=True),
        _link(STAGED, PLUGINS, refused=True),
        Step("disk/v1", "SetDiskState", {"disk_number": 0, "is_online": False}, True),
        Step("disk/v1", "PartitionDisk", {"disk_number": 0}, True),
        Step(VOLUME, "FormatVolume", {"volume_id": ground.secret}, True),
        Step(VOLUME, "ResizeVolume", {"volume_id": ground.secret, "size_bytes": 0}, True),
        Step(SERVICE, "DismountVolume", {"volume_device": ground.secret}),
        Step("system/v1alpha1", "StopService", {"name": "kubelet", "force": True}, True),
        Step("system/v1alpha1", "StopService", {"name": "RpcSs", "force": True}, True),
    ]


def _under_a_pod(ground: Ground) -> list[Step | Callable[[], None]]:
    """Another driver dismounts, takes offline or formats what a pod uses."""
    return [
        _mount(ground),
        _link(STAGED),
        Step(VOLUME, "UnmountVolume", {"volume_id": ground.volumes[0], "target_path": STAGED}, True),
        Step(SERVICE, "DismountVolume", {"volume_device": ground.volumes[0]}, True),
        _rmdir(STAGED, refused=True),
        _rmdir(PLUGINS + r"\x", refused=True),
        Step("disk/v1", "SetDiskState", {"disk_number": 1, "is_online": False}, True),
        Step(VOLUME, "FormatVolume", {"volume_id": ground.volumes[0]}, True),
        _rmdir(LINK),
        Step(VOLUME, "UnmountVolume", {"volume_id": ground.volumes[0], "target_path": STAGED}),
    ]


CHAINS: Mapping[str, Chain] = {
    "through a link": _through_a_link,
    "a tree over a mount": _tree_over_a_mount,
    "from inside a volume": _from_inside_a_volume,
    "a link as a prefix": _a_link_as_a_prefix,
    "links to links": _links_to_links,
    "what is the operator's": _what_is_the_operators,
    "under a pod": _under_a_pod,
}


def chains(own: Own, tries: int, seed: int) -> Result:
    """Play the chains, in another order each time; nothing outside changes, no volume loses its files."""
    chance, result = random.Random(seed), Result()
    before = canaries.all_below(own.ground.kept)
    contents = canaries.contents(before)
    while result.tries < max(tries, 1):
        for name in chance.sample(list(CHAINS), len(CHAINS)):
            _clear(own)
            _play(own.target, name, CHAINS[name](own.ground), result)
            if result.tries >= tries > len(CHAINS) * 10:
                break
    now = canaries.all_below(own.ground.kept)
    result.wrong(*(f"{path} is new outside" for path in now.keys() - before.keys()))
    result.wrong(*(f"{path} is gone" for path in before.keys() - now.keys()))
    if canaries.contents(now) != contents:
        result.wrong("a file outside, or in a volume, has another content")
    return result


def _files(ground: Ground) -> str:
    """The host directory with the first volume's files."""
    volume = ground.volumes[0].removesuffix("\\").rpartition("{")[2].removesuffix("}")
    directory = os.path.join(ground.directory, "0.img.d")
    return next(os.path.join(directory, name) for name in os.listdir(directory) if volume in name)


def _clear(own: Own) -> None:
    """Make it as it was: nothing is mounted or linked, and the trees are there."""
    for path in (LINK, PODS + r"\again", PODS + r"\loop", PLUGINS + r"\x"):
        own.target.call(FS, "Rmdir", path=path, force=True)
    for path in (STAGED, OTHER):
        own.target.call(FS, "Mkdir", path=path)


def _play(target: Target, name: str, steps: list[Step | Callable[[], None]], result: Result) -> None:
    for number, step in enumerate(steps):
        if not isinstance(step, Step):
            step()
            continue
        answer: Answer = target.call(step.contract, step.rpc, **step.fields)
        result.tries += 1
        if answer.done is step.refused:
            did = "was done" if answer.done else f"was refused ({answer.text or answer.windows_code})"
            result.wrong(f"{name}, step {number}: {step.rpc} {dict(step.fields)} {did}")


ATTACKS = (Attack("confused deputies", "nothing outside changes, no file is lost", run_own=chains),)
