"""Lines that a person types: commands, completion.

It knows nothing of screens.
"""
