"""Wufei 无废: from the weigh ticket to the published figure, and back."""
