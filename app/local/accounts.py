"""Puts an account's credentials where the automation service reads them: the local stack's file, or `ASBUILT_ACCOUNTS`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from app.core import credentials
from app.core.settings import Settings, SettingsError, load
from app.core.vault import Vault, VaultError
from app.local import home as homes
from app.local.errors import LocalStackError
from app.local.home import Home


def set_account(
    home: Home | None,
    *,
    portal: str,
    label: str,
    user: str,
    password: str,
    password_file: Path | None,
    totp_file: Path | None,
    url: str,
    env: Mapping[str, str],
) -> Path:
    """Keep an account; what comes from files is sealed. Answers the file it stands in now.

    Raises `SettingsError` and `LocalStackError`.
    """
    settings = _settings(home, env=env)
    vault = Vault(settings.secret_key)
    try:
        account = credentials.AccountEntry(
            user=user,
            password=password if password_file is None else credentials.sealed(_read(password_file), vault=vault),
            totp="" if totp_file is None else credentials.sealed(_read(totp_file), vault=vault),
        )
        # What cannot be had now would stop the service at its next start.
        for reference in account.references().values():
            credentials.resolve(reference, vault=vault, env=env)
        credentials.put(settings.accounts, portal=portal, label=label, account=account, url=url)
    except (VaultError, credentials.Unresolved) as exc:
        raise LocalStackError(str(exc), exit_code=1) from exc
    return settings.accounts


def _settings(home: Home | None, *, env: Mapping[str, str]) -> Settings:
    """Key and file: of a local stack, which need not run, or of the environment."""
    if home is not None:
        homes.prepare(home)
        return Settings(secret_key=(homes.load_secrets(home).secret_key,), accounts=home.accounts_file)
    settings = load(env=env)
    if not settings.accounts.name:
        raise SettingsError(["ASBUILT_ACCOUNTS is not set: name the file, or a local stack with --home"])
    return settings


def _read(path: Path) -> str:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise LocalStackError(f"{path} cannot be read: {type(exc).__name__}", exit_code=1) from exc
    if not text.strip():
        raise LocalStackError(f"{path} is empty", exit_code=1)
    return text.rstrip("\r\n")
