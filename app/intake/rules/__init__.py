"""The defect rules: small pure functions by subject, and `check`, which runs them all in order."""

from app.intake.rules.check import RULES, check
from app.intake.rules.context import Finding, PhotoElsewhere, Related, RuleContext, Site
from app.intake.rules.serials import serial_numbers

__all__ = ["RULES", "Finding", "PhotoElsewhere", "Related", "RuleContext", "Site", "check", "serial_numbers"]
