"""What changes filings. Every write is here, each in one transaction."""

from wufei.filings.services.disclosures import publish_disclosure
from wufei.filings.services.plans import file_plan, give_up_draft, save_draft, start_draft

__all__ = ["file_plan", "give_up_draft", "publish_disclosure", "save_draft", "start_draft"]
