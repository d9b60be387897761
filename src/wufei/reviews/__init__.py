"""
Who decided what: rounds, stages, experts, quotas, public notices, objections, titles and their yearly life.

A round pins an edition; the edition's data say which stages a case passes and who acts there. An act is an
append-only row with level, role, person, time and words; where a case stands follows from its acts (`stages`),
and the row of the application carries that standing only so that lists are fast: both are written in one
transaction, and a test holds them equal. What is blind stays blind: an expert's pages are drawn from
`Submission` and know no names.

The room leaves the writing of a case to `cases`, the rules to `policies`, and the public's pages to `portal`.
"""
