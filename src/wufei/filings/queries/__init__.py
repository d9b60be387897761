"""What reads filings: management plans with what the ledger says beside them, and disclosures."""

from wufei.filings.queries.disclosures import (
    current_content,
    disclosure,
    disclosures_of,
    handed_out,
    published,
)
from wufei.filings.queries.plans import (
    Planned,
    Progress,
    draft_handed_out,
    drafted,
    filed_plans,
    findings,
    is_planned,
    known_of,
    latest_plan,
    plan_handed_out,
    planned,
    prefilled,
    progress,
    waste_facts,
)

__all__ = [
    "Planned", "Progress", "current_content", "disclosure", "disclosures_of", "draft_handed_out", "drafted", "filed_plans", "findings",
    "handed_out", "is_planned", "known_of", "latest_plan", "plan_handed_out", "planned", "prefilled", "progress", "published",
    "waste_facts",
]  # fmt: skip
