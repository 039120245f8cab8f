"""The rewrites of `sagelet upgrade`: each looks at a script and says what is to be done to it."""
