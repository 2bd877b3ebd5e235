"""End-to-end encryption: what is sealed here only its readers can read, whatever the server does.

It knows keys and messages, and neither a network nor a screen: it says what is to be sent and shown, others do it. The
ratchets are vodozemac's (Olm between two devices, Megolm for conversations); here is what they do not decide: whose key
a key is, who is given which, and how it shows that a server replays, moves, withholds or swaps something.
"""
