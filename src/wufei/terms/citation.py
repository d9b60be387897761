"""Where a rule or a formula stands: document, clause, and what it says in our short words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Citation:
    document: str  # 文号 or number of the standard: 工信厅联节函〔2025〕539号
    clause: str  # 二、（二）1
    says: str

    def __post_init__(self) -> None:
        if not (self.document and self.clause and self.says):
            raise ValueError("A citation names document, clause and what it says.")

    def __str__(self) -> str:
        return f"{self.document} {self.clause}"
