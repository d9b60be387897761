"""
What the public sees and says: calls, public notices, objections, the register of titles.

Nobody signs in here, so nothing is shown that is not published: `queries` alone says what is, and pages read
nothing beside it. What is said goes through the services of `reviews`; `services` here only counts how often
an address tries.
"""
