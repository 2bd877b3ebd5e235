"""The log and the accounts, on disk.

This package knows SQL and files, and nothing of sessions, rooms in memory, or who is told what: drafts
go in, committed rows come out, in commit order. What is read and written stands in plain functions over
one `connection` (``append``, ``row_effects``, ``rooms``, ``log``, ``marks``, ``accounts``), which all engines share;
``store`` makes the methods of `chat.server.interfaces.IStore` of them. An engine (``sqlite``, ``memory``) decides when
they run and where their results go. SQL that another engine would write differently stands in ``dialect``, and what
its errors mean in ``database_errors``.
"""
