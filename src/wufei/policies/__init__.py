"""
What the rules ask: programme editions as data, judged in three values, explained clause by clause.

Promises: no programme's name stands in Python; an edition is validated when it is loaded; a missing
number is unknown, never a silent pass or fail; every verdict explains itself in Chinese and can be
recomputed from its own leaves; a verdict once met or not met is not contradicted by facts that come
later. A granted exception is an act, not a fact: the criterion stays not met and is flagged, only the
overall verdict counts it as met.
Leaves to others: what the figures are (indicators), who decides (reviews).
"""
