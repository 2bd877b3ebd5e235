"""End-to-end encryption: Olm and Megolm, the keys on disk, devices, and who is trusted.

It knows the session and nothing of input or screens.
"""
