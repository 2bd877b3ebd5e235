"""The language of commands: what a verb is, and what a line of text means.

Everything here is pure. It knows verbs only as a table of data that somebody else filled, and people and
rooms only as names that exist or do not; it never runs a command. A client can use it with a table that a
server sent.
"""
