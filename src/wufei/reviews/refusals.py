"""Why something in a review was not done. Codes; the doors put them into words."""


class ReviewRefused(Exception):
    """
    Nothing was written; `code` says why, `detail` what it concerns.

    Codes: not_permitted, stale (somebody else was first: 409), stage_moved_on (409), round_not_open, round_closed, too_late,
    barred, acted_before (one person, one duty in a case), words_missing, site_check_missing,
    consultations_open, sheets_missing, quota_used_up, quota_below_use, objection_open, notice_running,
    notice_over, deadline_in_past, seed_changed, already_drawn, conflict_of_interest, package_broken,
    package_loaded, package_of_another_round, package_beyond_jurisdiction, case_incomplete, ...
    """

    # Whoever comes second gets these; the API answers 409.
    CONFLICTS = frozenset({"stale", "stage_moved_on", "package_loaded", "already_drawn", "already_decided"})

    def __init__(self, code: str, detail: str = ""):
        self.code = code
        self.detail = detail
        super().__init__(f"{code} {detail}".strip())

    @property
    def is_conflict(self) -> bool:
        """Return whether the other party was first."""
        return self.code in self.CONFLICTS
