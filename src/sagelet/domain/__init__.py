"""What Sagelet talks about: frozen values, closed states, their legal moves, and the seams.

No I/O happens here. `home.Home` computes paths and touches none; a `Protocol` in `seams` is where a
network, a child process or a clock comes in.
"""
