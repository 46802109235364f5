"""Whatever comes in from people who are not trusted: it is taken or refused, quickly, and nothing else happens.

``make fuzz`` goes on for ten minutes, each round with examples of its own.
"""
