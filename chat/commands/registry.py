"""The table that the command modules fill; whoever wants it filled imports `chat.commands.table`."""

from chat.grammar.verbs import Table

TABLE = Table()

command = TABLE.command
