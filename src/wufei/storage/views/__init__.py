"""The pages of storage."""
