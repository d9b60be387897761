"""
Who there is: organisations, park membership, people, roles, tokens; and the one rule of who may see whom.

Promises: a 统一社会信用代码 is check-digit-verified before it is stored; what no grant allows
is refused (`access.py`); every write leaves an audit row in its own transaction.
Leaves to others: what an organisation's waste is (ledger) and what it may apply for (policies).
"""
