"""What the operator decides about the operations: where clients may work, and what they may overwrite."""

from dataclasses import dataclass

# The services of Windows' storage.
STORAGE_SERVICES = ("MSiSCSI", "smphost", "StorSvc", "vds", "defragsvc")


@dataclass(frozen=True, slots=True)
class Configuration:
    r"""The operator's choices.  Paths are Windows paths (``C:\var\lib\kubelet``) without a last backslash.

    kubelet_path
        kubelet's directory; every path in a request of the API groups lies under it or a working directory
    working_dirs
        further directories that clients of the API groups may work in
    csi_plugins_path
        the prefix that CSIProxyService calls PLUGIN: staging directories
    pod_path
        the prefix that CSIProxyService calls POD: what containers see
    allow_reformat
        whether FormatVolume of the volume group may replace a file system that is already there
    allow_services
        the Windows services that clients of the system group may start and stop
    require_privacy
        whether SMB mappings are made for encrypted traffic only
    lifted_rails
        the names of guard rails that do not hold
    dry_run
        whether calls are only decided and recorded, and change nothing
    """

    kubelet_path: str
    working_dirs: tuple[str, ...]
    csi_plugins_path: str
    pod_path: str
    allow_reformat: bool
    allow_services: tuple[str, ...] = STORAGE_SERVICES
    require_privacy: bool = True
    lifted_rails: tuple[str, ...] = ()
    dry_run: bool = False
