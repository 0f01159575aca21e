"""Akool's code list (error-code), each with the error it amounts to and what to do next."""

from talking_avatar.errors import ApiError, AuthError, InvalidRequest, NotFound, QuotaError, ServerFault, Throttled
from talking_avatar.wire.envelope import Dialect, Meaning

__all__ = ["DIALECT", "TOKEN_CODES"]

# 1101 illegal or expired, 1102 missing (authentication/usage).
TOKEN_CODES = frozenset({1101, 1102})

_MEDIA = "correct the file: its duration, size, encoding, frame rate or content is not accepted"

_TABLE: dict[int, tuple[type[ApiError], str]] = {
    1003: (InvalidRequest, "correct the parameter"),
    1004: (AuthError, "verify the account on akool.com first"),
    1005: (Throttled, "wait and ask again"),
    1006: (QuotaError, "top up the account"),
    1007: (InvalidRequest, "use a picture with the expected number of faces"),
    1008: (NotFound, "check the id, and that it belongs to this account"),
    1009: (AuthError, "the account has no permission for this"),
    1010: (InvalidRequest, "this cannot be done with it in its present state"),
    1011: (InvalidRequest, "it has been done already; read it instead"),
    1013: (InvalidRequest, "use the audio of a video"),
    1014: (NotFound, "check the id, and that it belongs to this account"),
    1015: (ServerFault, "the service failed to process the video; ask again later"),
    1016: (ServerFault, "the service failed to swap the face; ask again later"),
    1017: (ServerFault, "the audio was not created; ask again later"),
    1101: (AuthError, "the token or API key is wrong or expired; fetch another"),
    1102: (AuthError, "no credential arrived; pass api_key, or client_id with client_secret"),
    1103: (QuotaError, "the account is unpaid or overdue; settle it on akool.com"),
    1104: (QuotaError, "the credit balance is too low; top it up"),
    1105: (ServerFault, "the service failed to process the avatar; ask again later"),
    1108: (ServerFault, "the service failed to process the image; ask again later"),
    1110: (ServerFault, "the service failed to process the audio; ask again later"),
    1111: (ServerFault, "the avatar callback failed; ask again later"),
    1112: (ServerFault, "the service failed to process the voice; ask again later"),
    1200: (AuthError, "the account has been banned; write to the vendor"),
    1201: (ServerFault, "creating the audio failed; ask again later"),
    **dict.fromkeys(range(1202, 1213), (InvalidRequest, _MEDIA)),
    1213: (QuotaError, "this needs a subscription"),
    **dict.fromkeys((*range(1214, 1221), 1223), (ServerFault, "live avatars are not what this client is for")),
    1221: (QuotaError, "the account is not subscribed; subscribe first"),
    1222: (InvalidRequest, "it exists already; choose another name or id"),
}

# 1109 stands for two things: "account not exist" in the code list, "create avatar video error" in 004.
_VIDEO_PATHS = ("/talkingavatar/", "/content/video/", "/avatar/create")
_NO_ACCOUNT = Meaning(AuthError, "the account does not exist; check which credential is used")
_VIDEO_FAILED = Meaning(ServerFault, "the service could not create the avatar video; try again later")


def _by_call(code: int, path: str) -> Meaning | None:
    if code != 1109:
        return None
    return _VIDEO_FAILED if any(part in path for part in _VIDEO_PATHS) else _NO_ACCOUNT


DIALECT = Dialect(
    service="akool",
    success=1000,
    words_key="msg",
    meanings={code: Meaning(error, advice) for code, (error, advice) in _TABLE.items()},
    by_call=_by_call,
    token_expired=TOKEN_CODES,
)
