"""The admission webhook that keeps unprivileged pods from the endpoints.  Not in this release."""
