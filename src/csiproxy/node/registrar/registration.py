"""The registration service, as kubelet's plugin watcher calls it."""

from collections.abc import Callable
from typing import TextIO

from csiproxy.csi import pluginregistration_pb2 as wire
from csiproxy.rpc.call import Call

PLUGIN_TYPE = "CSIPlugin"
SUPPORTED_VERSIONS = ("1.0.0",)
"""The version of the CSI that drivers speak, as kubelet negotiates it: the major one is what counts."""

SERVICE = wire.DESCRIPTOR.services_by_name["Registration"]


class Registration:
    """Introduces one driver.  ``refused`` is called when kubelet says that it has not taken it."""

    def __init__(self, driver: str, endpoint: str, refused: Callable[[], None], log: TextIO) -> None:
        self._info = wire.PluginInfo(
            type=PLUGIN_TYPE, name=driver, endpoint=endpoint, supported_versions=SUPPORTED_VERSIONS
        )
        self._refused = refused
        self._log = log

    def get_info(self, request: wire.InfoRequest, call: Call) -> wire.PluginInfo:
        """Say who the driver is and where it serves."""
        return self._info

    def notify_registration_status(
        self,
        request: wire.RegistrationStatus,
        call: Call,
    ) -> wire.RegistrationStatusResponse:
        """Hear whether kubelet has taken the driver; if not, end the process, so that it is started again."""
        if request.plugin_registered:
            self._log.write(f"csi-proxy registrar: kubelet has registered {self._info.name}\n")
        else:
            self._log.write(f"csi-proxy registrar: kubelet refused {self._info.name}: {request.error!r}\n")
            self._refused()
        self._log.flush()
        return wire.RegistrationStatusResponse()
