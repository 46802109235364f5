"""What goes wrong, injected on a real engine: `pnr why` names the cause first, and then what to do."""
