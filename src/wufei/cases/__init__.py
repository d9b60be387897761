"""
What is claimed: case drafts, the official forms filled from the ledger, evidence, produced documents.

Promises: every number in a produced document stands in its `provenance.json` with the movements or
the statement behind it; amounts are rounded once, here (`amounts.py`); what is unknown prints as 未知,
never as 0; a draft is its organisation's own; unmet requirements stop nothing but are listed.
Leaves to others: what the figures are (indicators), whether they suffice (policies), who decides (reviews).
"""
