"""The log and the accounts, on disk.

This package knows SQL and files, and nothing of sessions, rooms in memory, or who is told what: drafts
go in, committed rows come out, in commit order. What is read and written stands in plain functions over
one connection (``append``, ``effects``, ``rooms``, ``log``, ``marks``, ``accounts``), which both engines
share; an engine (``sqlite``, ``memory``) only decides when they run and where their results go.
"""
