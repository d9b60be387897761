"""
The door for machines, and what the API of every room shares.

`door`: who asks, what an answer looks like, the one shape of an error; `fields`: the words of
requests and answers; `idempotency`: a write that is sent again counts once; `organisations`:
this room's own routes. The rooms' routers are mounted in `web/api.py`.
"""
