"""The reference CSI node plugin and its registrar.  Not in this release."""
