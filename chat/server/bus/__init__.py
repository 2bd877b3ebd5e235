"""Who is told what, within a node and across nodes.

The bus knows topics, rows and subscribers. It knows nothing of rooms, people or sockets, and of the
store only how to read rows that another node announced.
"""
