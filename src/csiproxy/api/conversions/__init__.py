"""Where an older version's message differs from the hub's: one small function each, one module a group.

A request's converter takes the old request and the hub's class; a reply's converter takes the hub's reply
and the old class.  Each builds a fresh message, so a field that the hub gains later stays unset, whatever
an old version's client sends.  Importing these modules imports no protobuf.
"""
