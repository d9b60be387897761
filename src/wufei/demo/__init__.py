"""
A made-up district to look around in: a park, nine enterprises, six and a half years of ledger.

Promises: the year 2020 adds up to the published figures of the Qijiang plan (a test holds it); all
names are made up; everything goes in through the same doors that people use.
Leaves to others: everything else.
"""
