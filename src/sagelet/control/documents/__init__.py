"""Documents with AWS's member names outside, values of the domain inside: only here do both meet.

A `read_…` function makes a value of a request, a `show_…` function a response of a value. Members
that are absent are left out of a response, never null or empty: SDK v3 cannot read those.
"""
