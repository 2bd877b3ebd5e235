"""Files on their way: what one is cut into, how it is sealed, and how it lands.

It knows files and keys, and neither a network nor a screen: pieces go in and come out, others carry them. A file is
offered with its name, size, digest and key in a letter that only the receiver can read; its pieces are sealed with
that key, so whoever carries or keeps them (a link, a server) sees how many there are and no more.
"""
