"""One-time codes as RFC 6238 prints them in its appendix B, cut to six digits."""

from __future__ import annotations

import base64

import pytest

from tasks.runner import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (2000000000, "279037"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(at: int, code: str) -> None:
    assert totp.code(SECRET, at=at) == code


def test_a_secret_may_be_written_as_people_copy_it() -> None:
    assert totp.code("jbsw y3dp-ehpk 3pxp", at=0) == totp.code("JBSWY3DPEHPK3PXP", at=29.9)
    with pytest.raises(ValueError, match="base32"):
        totp.code("not base32 !", at=0)


def test_a_code_lasts_to_the_end_of_its_period() -> None:
    assert totp.remaining_s(at=59.0) == 1.0
