"""Passkeys (WebAuthn level 2) as the second factor, used after the password."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from clearway.kernel.errors import ForbiddenError, UnauthenticatedError
from clearway.web.console.account import how_of
from clearway.web.console.forms import Sent, Visitor
from clearway.web.console.signin import source_of, strengthen
from clearway.web.guard import Caller, House, require_session, session_of
from clearway.web.strong import require_own_factor

router = APIRouter(include_in_schema=False)
_VERIFY = UserVerificationRequirement.PREFERRED


def relying_party(request: Request) -> tuple[str, str]:
    """Id and origin that a passkey is bound to: the address the browser sees."""
    host = request.url.hostname or "localhost"
    return host, f"{request.url.scheme}://{request.url.netloc}"


def _json(text: str) -> Response:
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post("/account/passkey/options")
def new_options(request: Request, who: Caller, house: House) -> Response:
    """What the browser needs to make a passkey."""
    require_session(who)
    require_own_factor(who)
    options = generate_registration_options(
        rp_id=relying_party(request)[0],
        rp_name="Clearway",
        user_id=who.account.id.encode(),
        user_name=who.account.login,
        user_display_name=who.account.display_name,
        authenticator_selection=AuthenticatorSelectionCriteria(user_verification=_VERIFY),
        exclude_credentials=_known(house.access.passkeys(who.account.id)),
    )
    house.access.set_challenge(session_of(request), options.challenge)
    return _json(options_to_json(options))


def _known(rows: list[dict[str, Any]]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(row["credential"])) for row in rows]


@router.post("/account/passkey")
def register(
    request: Request, who: Caller, house: House, credential: Annotated[dict[str, Any], Body()]
) -> Response:
    """Keep a new passkey."""
    require_session(who)
    require_own_factor(who)
    party, origin = relying_party(request)
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=house.access.take_challenge(session_of(request)),
            expected_rp_id=party,
            expected_origin=origin,
        )
    except (WebAuthnException, ValueError, KeyError) as error:
        raise ForbiddenError(f"the passkey was not accepted: {error}", hint="Try again") from error
    house.access.add_passkey(
        who.account.id,
        bytes_to_base64url(made.credential_id),
        made.credential_public_key,
        made.sign_count,
        request.headers.get("user-agent", "")[:80],
    )
    house.access.audit(who.account.id, "add passkey", who.account.id, how_of(who))
    response = _json("{}")
    strengthen(response, request, house)
    return response


@router.post("/account/passkey/drop")
def drop(visitor: Visitor, form: Sent) -> Response:
    """Remove one of the own passkeys."""
    require_own_factor(visitor.who)
    visitor.house.access.drop_passkey(visitor.who.account.id, str(form.get("credential", "")))
    visitor.house.access.audit(visitor.who.account.id, "drop passkey", visitor.who.account.id)
    return visitor.done("/account")


@router.post("/signin/passkey/options")
def use_options(request: Request, who: Caller, house: House) -> Response:
    """What the browser needs to use a passkey."""
    require_session(who)
    options = generate_authentication_options(
        rp_id=relying_party(request)[0],
        allow_credentials=_known(house.access.passkeys(who.account.id)),
        user_verification=_VERIFY,
    )
    house.access.set_challenge(session_of(request), options.challenge)
    return _json(options_to_json(options))


@router.post("/signin/passkey")
def prove(
    request: Request, who: Caller, house: House, credential: Annotated[dict[str, Any], Body()]
) -> Response:
    """Strengthen the session with a passkey."""
    require_session(who)
    party, origin = relying_party(request)
    rows = {row["credential"]: row for row in house.access.passkeys(who.account.id)}
    row = rows.get(str(credential.get("id", "")))
    if row is None:
        raise UnauthenticatedError("this passkey does not belong to the account")
    try:
        used = verify_authentication_response(
            credential=json.dumps(credential),
            expected_challenge=house.access.take_challenge(session_of(request)),
            expected_rp_id=party,
            expected_origin=origin,
            credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"],
        )
    except (WebAuthnException, ValueError, KeyError) as error:
        house.access.note_failure(source_of(request))
        raise UnauthenticatedError(f"the passkey was not accepted: {error}") from error
    house.access.count_passkey(row["credential"], used.new_sign_count)
    response = _json("{}")
    strengthen(response, request, house)
    return response
