"""How each fault is injected, by kind; put together in :mod:`..injections`."""
