"""One account on one server: connecting, logging in, sending, catching up, reconnecting.

It knows the interfaces of encryption and of peer-to-peer links, and does not know who uses it.
"""
