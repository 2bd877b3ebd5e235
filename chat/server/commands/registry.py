"""The table that the command modules fill; whoever wants it filled imports `chat.server.commands.table`."""

from chat.protocol.grammar.verbs import Table

TABLE = Table()

command = TABLE.command
