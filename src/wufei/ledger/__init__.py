"""
What moved: places, streams, lots, movements, balances, months, the hash chain.

Promises: mass is conserved; no store gives more than it holds, on any day; movements are never
changed or deleted; the same client id never counts twice; a closed month takes no more postings;
each organisation's movements form a chain that `wufei verify` recomputes.
Leaves to others: what the masses mean (indicators), what a waste code is (catalogue), how data gets
in (capture).
"""
