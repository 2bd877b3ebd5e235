"""The chat server: accounts, rooms and their log, behind every front end.

It knows the protocol and nothing of the client.
"""
