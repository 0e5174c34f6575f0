"""A real Windows node behind the port: CIM over COM, Win32, pipes, the service.  Not in this release."""
