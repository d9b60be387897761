"""What is stored of reviews. Write only through `reviews.services`."""

from wufei.reviews.models.agencies import AgencyExclusion, AgencyMark, AgencyReport, SpotCheck
from wufei.reviews.models.applications import Act, ActDocument, Application, QuotaUse
from wufei.reviews.models.batches import Batch, BatchItem, RecommendationPlace
from wufei.reviews.models.experts import Assignment, Discussion, Draw, Expert, ExpertTie, ScoreSheet
from wufei.reviews.models.findings import Consultation, SiteCheck, SiteCheckPhoto
from wufei.reviews.models.messages import Delegation, Message
from wufei.reviews.models.notices import Extension, NoticeItem, Objection, ObjectionEvidence, PublicNotice
from wufei.reviews.models.register import (
    ChangeReport,
    CreditFact,
    Cultivation,
    Reevaluation,
    Title,
    TitleEvent,
)
from wufei.reviews.models.rounds import LateAdmission, Package, Round, RoundDocument, SigningKey

__all__ = [
    "Act", "ActDocument", "AgencyExclusion", "AgencyMark", "AgencyReport", "Application", "Assignment",
    "Batch", "BatchItem", "ChangeReport", "Consultation", "CreditFact", "Cultivation", "Delegation", "Discussion", "Draw", "Expert",
    "ExpertTie", "Extension", "LateAdmission", "Message", "NoticeItem", "Objection", "ObjectionEvidence", "Package",
    "PublicNotice", "QuotaUse", "RecommendationPlace", "Reevaluation", "Round", "RoundDocument", "ScoreSheet", "SigningKey",
    "SiteCheck", "SiteCheckPhoto", "SpotCheck", "Title", "TitleEvent",
]  # fmt: skip
