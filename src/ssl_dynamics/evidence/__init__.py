"""The four verbs that settle a claim, the claims themselves, and the ledger built from both."""

from ssl_dynamics.evidence.claims import Claim, ClaimError, Part, claims_from, load_claims
from ssl_dynamics.evidence.display import Evidence
from ssl_dynamics.evidence.verbs import EvidenceError, check, observe, prove, refute

__all__ = [
    "Claim",
    "ClaimError",
    "Evidence",
    "EvidenceError",
    "Part",
    "check",
    "claims_from",
    "load_claims",
    "observe",
    "prove",
    "refute",
]
