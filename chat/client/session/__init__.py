"""One account on one server: connecting, logging in, sending, catching up, reconnecting.

It knows the interfaces of encryption and of peer-to-peer links, and nothing of who uses it.
"""
