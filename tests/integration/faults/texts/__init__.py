"""What `pnr why` says of each fault, by kind; put together in :mod:`..catalogue`."""
