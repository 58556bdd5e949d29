"""XLSForm to form definition: `sheets` reads the workbook, `expressions` its conditions, `translate` makes the form."""

from app.intake.xlsform.sheets import Finding, XlsFormProblem
from app.intake.xlsform.translate import Translated, translate

__all__ = ["Finding", "Translated", "XlsFormProblem", "translate"]
