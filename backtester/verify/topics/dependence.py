"""Tail dependence of the t copula."""

from __future__ import annotations

from functools import partial

from backtester.estimation.tails import t_tail_dependence
from backtester.verify.claim import Claim

TOPIC = "Tail dependence"
TABLE = (
    "λ = 2t_{ν+1}(−√((ν+1)(1−ρ)/(1+ρ))); to two digits the table of McNeil, Frey & Embrechts, "
    "Quantitative Risk Management"
)
CORRELATIONS = (-0.5, 0.0, 0.5, 0.9)
DIGITS = {  # by degrees of freedom
    2: ("0.0577", "0.1817", "0.3910", "0.7177"),
    4: ("0.0117", "0.0756", "0.2532", "0.6298"),
    10: ("0.0001", "0.0069", "0.0819", "0.4627"),
}


def coefficient(rho: float, degrees: float) -> float:
    """λ as a number."""
    return float(t_tail_dependence(rho, degrees))


CLAIMS = tuple(
    Claim(TOPIC, f"λ, ν = {degrees}, ρ = {rho:g}", text, partial(coefficient, rho, degrees), TABLE)
    for degrees, row in DIGITS.items()
    for rho, text in zip(CORRELATIONS, row, strict=True)
    if text != "0.0001"  # one digit proves little
)
