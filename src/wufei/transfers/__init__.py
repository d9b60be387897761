"""Manifests 转移联单 between organisations: two-phase movements, signatures, carriers, permits, revisions; and the way of a lot across organisations."""
