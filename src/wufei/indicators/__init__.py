"""
What the numbers mean: each indicator once, with formula, unit and source clause.

Promises: a figure carries its basis down to movements and stated inputs; what cannot be
known is None and says what is missing; values are Decimal and are not rounded here.
The way: `queries` reads facts (facts.py), attribution.py says whose waste and of which years,
tallies.py adds up, one module per kind of indicator makes figures (mass, rates, intensity,
change, stated, ledger_quality), enterprise.py and park.py put them together.
Leaves to others: thresholds (policies), rounding (the doors), how mass moved (ledger).
"""
