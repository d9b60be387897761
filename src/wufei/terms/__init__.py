"""
The few words that every room speaks: Mass, Period, Citation, Truth, and the day in China.

Pure and closed: a word enters only when three rooms already speak it, and a test
fails above eight files.
"""
