"""What a client knows of its account, rooms and conversations.

It is pure: it does no I/O and knows nothing about connections, keys or screens.
"""
