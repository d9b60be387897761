"""
What is printed: the one typeface of our PDFs and labels, and sheets with official tables.

Knows nothing of waste. A room says what stands on the paper; this one says how paper is made.
"""
