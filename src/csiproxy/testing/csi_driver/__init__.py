"""A whole CSI driver over emulated nodes: the node plugin, and a controller that keeps volumes as images.

For tests and demonstrations: with it a whole CSI life can be played, and any CSI acceptance suite be pointed
at it.  No part of the product is a controller.
"""
