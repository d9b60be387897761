"""The pages of small generators and their collectors."""
