"""Compose files, read as Docker Compose reads them: for people who move over, and for nothing else.

``reading.load`` gives a ``project.Project``: the canonical form that ``docker-compose config`` prints, with the place
in the files that each of its values came from. What is made of it is the importer's business, not this room's.
"""
