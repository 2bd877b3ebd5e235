"""The rooms and the people.

This package decides who may do what, what is stored, and who is told. It knows the store, the bus and
the front ends only by ``chat.server.interfaces``; it knows nothing of sockets, bytes, SQL or how an event is shown.
"""
