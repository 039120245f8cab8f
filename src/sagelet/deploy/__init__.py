"""From what is wanted to what is done: a plan first, then the calls, in either environment."""
