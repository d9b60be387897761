"""The pages of policies: which editions there are, an evaluation, what is declared, what authorities keep."""
