"""The rules of `sagelet check`, by theme: each a `Rule` with its texts and a function beside it."""
