"""An emulated Windows node, for any machine: disks, volumes and paths behind the host port."""
