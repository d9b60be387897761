"""The pages of cases: the list, the editor, what the form will say, evidence, and the documents."""
