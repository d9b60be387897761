"""
Manifests 转移联单 between organisations, and the way of a lot across them.

A manifest is a two-phase movement: out of the generator's store onto the road when the carrier signs, off the
road at the weight that the receiver measured; the difference is a discrepancy and somebody's task until it is
settled. Which party fills what, from which signature it must be there and from which it is sealed stands in one
table, `fields.FIELDS`; which act leads from which state to which in another, `states.MOVES`. What was signed is
changed only by a revision that the other side agrees to; every version is kept.

Left to others: permits, contracts, vehicles and drivers (`registry`), masses and places (`ledger`).
"""
