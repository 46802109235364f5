"""What the daemon would do, found out by letting it do it: on a pretended engine that has what the real one has.

``rehearse`` puts it together and runs it, ``ground`` is what it starts from, ``engine`` the pretended engine,
``stores`` what stands in for files and the state directory, ``numbering`` makes a plan of what was done, and
``virtual_time`` lets an hour pass in a moment.
"""
