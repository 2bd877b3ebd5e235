"""The operator's program, ``chatctl``, for a server that runs and for one that does not.

It may use the server and the protocol; nothing imports it.
"""
