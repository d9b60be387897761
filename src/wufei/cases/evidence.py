"""
How much evidence does a case take?

What may be kept at all is asked of every file alike, in `paper.attachments`, whose answers are handed on here.
"""

from wufei.paper.attachments import MAX_FILE_BYTES, MEDIA_TYPES, EvidenceRefused, check_size, examine

__all__ = ["MAX_CASE_BYTES", "MAX_FILE_BYTES", "MEDIA_TYPES", "EvidenceRefused", "check_size", "examine"]

MAX_CASE_BYTES = 200 * 1024 * 1024
