"""
How much evidence does a case take?

What may be kept at all is asked of every file alike, in `paper.attachments`.
"""

MAX_CASE_BYTES = 200 * 1024 * 1024
