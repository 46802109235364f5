"""From a Compose project to a domain file: plain JSON values, and remarks on what is not the same there. Pure.

:func:`convert.convert` is the way in. Each module here turns one part of a project: :mod:`.services` a service with
what it waits for (:mod:`.dependencies`), :mod:`.container` its settings, :mod:`.belongings` networks, volumes, secrets
and configs. :mod:`.settle` hands the result to the loader of domain files and takes out what that refuses.
"""
