"""From client to client, without a server between them.

It knows keys, addresses and bytes, and no screen. Of a server `desk` and `depot` alone know, as far as they may ask it
something: who may have whose address is the server's to say, and it keeps files for those who are away. A link is TLS
1.3, which is Twisted's and OpenSSL's; here is what that does not decide: who is at the other end. Both ends prove it
with the keys of their devices, before anything else is read, and an address proves nothing.
"""
