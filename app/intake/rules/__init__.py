"""The defect rules: small pure functions by subject, and `check`, which runs them all in order."""

from app.intake.rules.check import RULES, check
from app.intake.rules.context import Finding, RuleContext, Site

__all__ = ["RULES", "Finding", "RuleContext", "Site", "check"]
