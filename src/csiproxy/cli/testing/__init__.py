"""``csi-proxy testing …``: what test beds are made of."""
