"""What runs in the project's interpreter: the zygote, training hosts and serving workers.

It stands alone: the standard library and `sagelet.errors`, in Python 3.9's syntax. torch, numpy
and the user's code are imported when they are needed, and only then.
"""
