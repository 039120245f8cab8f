"""`sagelet dev`: a folder served while it is edited, shown live on a terminal."""
