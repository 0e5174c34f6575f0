"""``csi-proxy audit`` and its commands."""

import click

from csiproxy.cli.audit.correlate import correlate
from csiproxy.cli.audit.query import query
from csiproxy.cli.audit.tail import tail
from csiproxy.cli.audit.verify import verify


@click.group("audit")
def command() -> None:
    """Read the audit trail that 'csi-proxy serve --audit-log FILE' writes.

    \b
      csi-proxy audit verify FILE                          is it as it was written?
      csi-proxy audit tail -f FILE                         what happens now
      csi-proxy audit query FILE --pod UID --since 1h      what happened to a pod's volumes
      csi-proxy audit correlate FILE --kubernetes-log LOG  which calls did no PersistentVolume ask for?
    """


for each in (verify, tail, query, correlate):
    command.add_command(each)
