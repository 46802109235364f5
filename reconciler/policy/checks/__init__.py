"""What each part of a request is held against. Pure, but for the looks that are handed in."""
