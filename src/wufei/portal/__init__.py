"""
What the public sees and says: calls, public notices, objections, the register of titles.

Doors only: what is shown comes from the queries of `reviews`, what is said goes through its services. Nobody
signs in here, so nothing is shown that is not published.
"""
