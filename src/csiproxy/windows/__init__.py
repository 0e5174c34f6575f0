"""A real Windows node behind the port: CIM over COM, Win32 calls, named pipes, the service.  Not in this release."""
