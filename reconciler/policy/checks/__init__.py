"""What each part of a request is held against, with the rules for it. Pure, but for the looks that are handed in."""
