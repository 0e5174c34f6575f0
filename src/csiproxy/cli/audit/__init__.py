"""``csi-proxy audit``: is a trail as it was written, what does it say, and what had Kubernetes asked for?"""
