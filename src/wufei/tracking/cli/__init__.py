"""The commands of tracking, and of the gateway, which belongs to the uppermost room that listens."""
