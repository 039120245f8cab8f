"""What a page shows of an answer: detectors look at a value and say how it is best seen.

bytes ─contents─> a value ─chain: the first detector that knows it─> View ─its template─> HTML

Everything here is pure: the same answer gives the same page, and nothing is asked of anybody.
"""
