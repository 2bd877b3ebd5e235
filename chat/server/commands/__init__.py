"""The commands: one decorated function each, which words a request for the service and its answer as a reply.

A command knows the service and nothing of lines, frames, bytes or who else is told. `chat.server.commands.table.TABLE`
has them all; parsing, help, permission, completion and the documents are made from it.
"""
