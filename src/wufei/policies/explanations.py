"""How is an evaluation written down, so that machines read it and anybody can compute it again?"""

from typing import Any

from wufei.indicators.document import line_document, missing_document
from wufei.indicators.figure import plain
from wufei.policies.criteria import Evaluation, Explanation, Finding


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain data; numbers are decimal strings."""
    edition = evaluation.edition
    return {
        "edition": edition.id,
        "title": edition.title,
        "document": edition.norm.number,
        "subject": evaluation.subject,
        "year": evaluation.year,
        "on": evaluation.on.isoformat(),
        "judged_as_of": evaluation.judged_as_of.isoformat(),
        "verdict": evaluation.verdict.value,
        "criteria": [_criterion(finding) for finding in evaluation.findings],
        "score": plain(evaluation.score),
        "score_min": plain(evaluation.score_min) if evaluation.is_scored else None,
        "score_max": plain(evaluation.score_max) if evaluation.is_scored else None,
        "notes": list(evaluation.notes),
    }


def _criterion(finding: Finding) -> dict[str, Any]:
    criterion, exception = finding.criterion, finding.exception
    return {
        **_node(finding.node),
        "document": criterion.document,
        "kind": criterion.kind.value,
        "severity": criterion.severity.value,
        "decides": criterion.decides,
        "our_reading": criterion.our_reading,
        "unverified": criterion.unverified,
        "exception_required": finding.exception_required,
        "exception_granted": finding.exception_granted,
        "exception": exception
        and {
            "answer": exception.answer,
            "reason": exception.reason,
            "judged_by": exception.judged_by,
            "judged_on": exception.judged_on.isoformat(),
        },
        "weight": plain(criterion.weight),
        "score_min": plain(finding.score_min) if criterion.score else None,
        "score_max": plain(finding.score_max) if criterion.score else None,
    }


def _node(node: Explanation) -> dict[str, Any]:
    return {
        "id": node.id,
        "clause": node.clause,
        "says": node.says,
        "verdict": node.verdict.value,
        "explanation": node.explanation,
        "op": node.op,
        "operands": dict(node.operands),
        "figures": [line_document(figure) for figure in node.figures],
        "missing": [missing_document(missing) for missing in node.supply],
        "children": [_node(child) for child in node.children],
    }
