"""The commands that give access: tokens of devices, accounts of people, and our own accounts at portals."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from app.cli_options import Arguments, add_home, home_of, settings_of

SCOPES = ("upload", "read", "review", "operate")
ROLES = ("viewer", "reviewer", "operator", "admin")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`token create`, `user create`, `account set` and `secret-key`."""
    _add_tokens(commands)
    _add_secrets(commands)


def _add_tokens(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    token = commands.add_parser("token", help="tokens of devices").add_subparsers(dest="verb", required=True)
    create = token.add_parser("create", help="a new device with a token; prints the token")
    create.set_defaults(command="token create")
    create.add_argument("--project", required=True, metavar="CODE", help="whose records it sends or reads")
    create.add_argument("--scope", required=True, action="extend", nargs="+", type=_scopes, help=", ".join(SCOPES))
    create.add_argument("--label", default="command line", help="what the device is called")
    add_home(create)
    user = commands.add_parser("user", help="accounts of people").add_subparsers(dest="verb", required=True)
    create = user.add_parser("create", help="a person with a role in a project; prints the password")
    create.set_defaults(command="user create")
    create.add_argument("--email", required=True, help="the address to sign in with")
    create.add_argument("--name", default="", help="default: the address")
    create.add_argument("--project", required=True, metavar="CODE", help="where the role is held")
    create.add_argument("--role", choices=ROLES, default="viewer", help="default viewer")
    add_home(create)


def _add_secrets(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("secret-key", help="a new key for ASBUILT_SECRET_KEY")
    account = commands.add_parser("account", help="our accounts at portals").add_subparsers(dest="verb", required=True)
    put = account.add_parser("set", help="keep an account's credentials where the automation service reads them")
    put.set_defaults(command="account set")
    put.add_argument("--portal", required=True, metavar="KEY", help="as in portal.key")
    put.add_argument("--account", default="default", metavar="LABEL", help="default: default")
    put.add_argument("--user", required=True, help="the user's name, or a reference: env:NAME, file:/path")
    given = put.add_mutually_exclusive_group(required=True)
    given.add_argument("--password-file", type=Path, metavar="FILE", help="its content is sealed; - is standard input")
    given.add_argument("--password", metavar="REFERENCE", default="", help="env:NAME or file:/path, read at use")
    put.add_argument("--totp-file", type=Path, metavar="FILE", help="the authenticator's secret in base32, sealed")
    put.add_argument("--url", default="", help="the portal's address, when it is new")
    add_home(put)


def _scopes(text: str) -> list[str]:
    scopes = text.split(",")
    if not set(scopes) <= set(SCOPES):
        raise argparse.ArgumentTypeError(f"a scope is one of {', '.join(SCOPES)}")
    return scopes


def create_token(arguments: Arguments) -> int:
    """Print the token of a new device. Raises `ProjectUnknown`."""
    from app.local.grant import token

    scopes = sorted({scope for group in arguments.scope for scope in group})
    made = token(settings_of(arguments).database_url, project=arguments.project, scopes=scopes, label=arguments.label)
    print(asyncio.run(made))
    return 0


def create_user(arguments: Arguments) -> int:
    """Print the password of a person. Raises `ProjectUnknown`."""
    from app.local.grant import user

    name = arguments.name or arguments.email
    made = user(
        settings_of(arguments).database_url,
        email=arguments.email,
        name=name,
        project=arguments.project,
        role=arguments.role,
    )
    print(asyncio.run(made))
    return 0


def make_key(_arguments: Arguments) -> int:
    """Print a new key."""
    from app.core.vault import new_key

    print(new_key())
    return 0


def set_account(arguments: Arguments) -> int:
    """Keep the credentials of an account. Raises `LocalStackError`."""
    from app.core.settings import environment
    from app.local.accounts import set_account

    kept = set_account(
        home_of(arguments) if arguments.home is not None else None,
        portal=arguments.portal,
        label=arguments.account,
        user=arguments.user,
        password=arguments.password,
        password_file=arguments.password_file,
        totp_file=arguments.totp_file,
        url=arguments.url,
        env=environment(),
    )
    print(f"kept in {kept}; the automation service reads it at its next start", file=sys.stderr)
    return 0
