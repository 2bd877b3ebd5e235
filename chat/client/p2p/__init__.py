"""Links from client to client: private lines and files that never pass through the server in the clear.

It knows end-to-end encryption and nothing of input or screens.
"""
