"""
What is printed: the one typeface of our PDFs and labels, and sheets with official tables. What comes in as a
document: which files may be kept, and how text enters them.

Knows nothing of waste. A room says what stands on the paper; this one says how paper is made.
"""
