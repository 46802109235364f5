"""The machine that pnr runs on, as far as others may change it under its hands."""
