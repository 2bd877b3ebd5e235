"""How fast the server is, and what it costs.

Servers run as processes of their own, as they are shipped; people are plain sockets on loopback. Nothing here is
imported by the server, and nothing here looks inside it: what is measured is what the kernel says of the process, and
what arrives at the sockets. Only the databases are furnished beforehand, through the store.
"""
