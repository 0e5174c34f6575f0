"""Where an older version's message differs from the hub's: one small function each, one module a group.

For servers, a request's converter takes the old request and the hub's class; a reply's converter takes the
hub's reply and the old class.  For callers it is the other way round: ``ask_…`` makes the old request,
``hear_…`` the hub's reply.  Each builds a fresh message, so a field that the hub gains later stays unset,
whatever an old version's client sends.  Importing these modules imports no protobuf.
"""
