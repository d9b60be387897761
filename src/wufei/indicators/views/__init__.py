"""The pages of figures: the years and months at a glance, where a figure comes from, what is stated."""
