"""Filings for machines: management plans and disclosures."""
