"""From client to client, without a server between them.

It knows keys, addresses and bytes, and neither a server nor a screen: who may have whose address is the server's to
say, and what is shown is a screen's. A link is TLS 1.3, which is Twisted's and OpenSSL's; here is what that does not
decide: who is at the other end. Both ends prove it with the keys of their devices, before anything else is read, and an
address proves nothing.
"""
