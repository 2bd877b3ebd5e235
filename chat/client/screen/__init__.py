"""The client on a full screen, with Textual.

It shows what `chat.client.state` knows and tells `chat.client.engine` what a person does; it knows nothing of frames
and connections. Whatever came from a server goes through ``chat.wire.safe`` and is never read as markup.
"""
