from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_ALLOW: _ClassVar[Verdict]
    VERDICT_CHALLENGE: _ClassVar[Verdict]
    VERDICT_BLOCK: _ClassVar[Verdict]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_MONITOR: _ClassVar[Mode]
    MODE_ENFORCE: _ClassVar[Mode]

class Subject(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBJECT_UNSPECIFIED: _ClassVar[Subject]
    SUBJECT_ADDRESS: _ClassVar[Subject]
    SUBJECT_NETWORK: _ClassVar[Subject]
    SUBJECT_FINGERPRINT: _ClassVar[Subject]
    SUBJECT_CLIENT: _ClassVar[Subject]
    SUBJECT_SESSION: _ClassVar[Subject]
    SUBJECT_DEVICE: _ClassVar[Subject]
    SUBJECT_SITE: _ClassVar[Subject]

class Sight(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIGHT_UNSPECIFIED: _ClassVar[Sight]
    SIGHT_TLS: _ClassVar[Sight]
    SIGHT_HEADER_ORDER: _ClassVar[Sight]
    SIGHT_HEADER_CASE: _ClassVar[Sight]
    SIGHT_ACCEPT_ENCODING: _ClassVar[Sight]
    SIGHT_HTTP_VERSION: _ClassVar[Sight]

class HttpVersion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HTTP_VERSION_UNSPECIFIED: _ClassVar[HttpVersion]
    HTTP_VERSION_1_0: _ClassVar[HttpVersion]
    HTTP_VERSION_1_1: _ClassVar[HttpVersion]
    HTTP_VERSION_2: _ClassVar[HttpVersion]
    HTTP_VERSION_3: _ClassVar[HttpVersion]
VERDICT_UNSPECIFIED: Verdict
VERDICT_ALLOW: Verdict
VERDICT_CHALLENGE: Verdict
VERDICT_BLOCK: Verdict
MODE_UNSPECIFIED: Mode
MODE_MONITOR: Mode
MODE_ENFORCE: Mode
SUBJECT_UNSPECIFIED: Subject
SUBJECT_ADDRESS: Subject
SUBJECT_NETWORK: Subject
SUBJECT_FINGERPRINT: Subject
SUBJECT_CLIENT: Subject
SUBJECT_SESSION: Subject
SUBJECT_DEVICE: Subject
SUBJECT_SITE: Subject
SIGHT_UNSPECIFIED: Sight
SIGHT_TLS: Sight
SIGHT_HEADER_ORDER: Sight
SIGHT_HEADER_CASE: Sight
SIGHT_ACCEPT_ENCODING: Sight
SIGHT_HTTP_VERSION: Sight
HTTP_VERSION_UNSPECIFIED: HttpVersion
HTTP_VERSION_1_0: HttpVersion
HTTP_VERSION_1_1: HttpVersion
HTTP_VERSION_2: HttpVersion
HTTP_VERSION_3: HttpVersion

class Observation(_message.Message):
    __slots__ = ("client_address", "peer_address", "edge_time_s", "request_id", "method", "scheme", "host", "uri", "http_version", "headers", "headers_cut", "header_order", "tls", "sight", "lease_id")
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PEER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EDGE_TIME_S_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    HTTP_VERSION_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_CUT_FIELD_NUMBER: _ClassVar[int]
    HEADER_ORDER_FIELD_NUMBER: _ClassVar[int]
    TLS_FIELD_NUMBER: _ClassVar[int]
    SIGHT_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    client_address: bytes
    peer_address: bytes
    edge_time_s: float
    request_id: bytes
    method: bytes
    scheme: bytes
    host: bytes
    uri: bytes
    http_version: HttpVersion
    headers: _containers.RepeatedCompositeFieldContainer[Header]
    headers_cut: bool
    header_order: bytes
    tls: TlsFingerprint
    sight: _containers.RepeatedScalarFieldContainer[Sight]
    lease_id: bytes
    def __init__(self, client_address: _Optional[bytes] = ..., peer_address: _Optional[bytes] = ..., edge_time_s: _Optional[float] = ..., request_id: _Optional[bytes] = ..., method: _Optional[bytes] = ..., scheme: _Optional[bytes] = ..., host: _Optional[bytes] = ..., uri: _Optional[bytes] = ..., http_version: _Optional[_Union[HttpVersion, str]] = ..., headers: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., headers_cut: _Optional[bool] = ..., header_order: _Optional[bytes] = ..., tls: _Optional[_Union[TlsFingerprint, _Mapping]] = ..., sight: _Optional[_Iterable[_Union[Sight, str]]] = ..., lease_id: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    value: bytes
    def __init__(self, name: _Optional[bytes] = ..., value: _Optional[bytes] = ...) -> None: ...

class TlsFingerprint(_message.Message):
    __slots__ = ("ja3", "ja3_md5", "ja4", "tls_sig", "error")
    JA3_FIELD_NUMBER: _ClassVar[int]
    JA3_MD5_FIELD_NUMBER: _ClassVar[int]
    JA4_FIELD_NUMBER: _ClassVar[int]
    TLS_SIG_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ja3: bytes
    ja3_md5: bytes
    ja4: bytes
    tls_sig: bytes
    error: bytes
    def __init__(self, ja3: _Optional[bytes] = ..., ja3_md5: _Optional[bytes] = ..., ja4: _Optional[bytes] = ..., tls_sig: _Optional[bytes] = ..., error: _Optional[bytes] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("id", "verdict", "would_be", "mode", "score", "signals", "policy", "rule", "config", "retry_after_s", "set_cookie", "answer", "lease")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    WOULD_BE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    SET_COOKIE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    id: str
    verdict: Verdict
    would_be: Verdict
    mode: Mode
    score: int
    signals: _containers.RepeatedCompositeFieldContainer[Signal]
    policy: str
    rule: str
    config: str
    retry_after_s: int
    set_cookie: str
    answer: Answer
    lease: Lease
    def __init__(self, id: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., would_be: _Optional[_Union[Verdict, str]] = ..., mode: _Optional[_Union[Mode, str]] = ..., score: _Optional[int] = ..., signals: _Optional[_Iterable[_Union[Signal, _Mapping]]] = ..., policy: _Optional[str] = ..., rule: _Optional[str] = ..., config: _Optional[str] = ..., retry_after_s: _Optional[int] = ..., set_cookie: _Optional[str] = ..., answer: _Optional[_Union[Answer, _Mapping]] = ..., lease: _Optional[_Union[Lease, _Mapping]] = ...) -> None: ...

class Signal(_message.Message):
    __slots__ = ("id", "points", "detail", "subject", "measures", "attack_type")
    ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    ATTACK_TYPE_FIELD_NUMBER: _ClassVar[int]
    id: str
    points: int
    detail: str
    subject: Subject
    measures: _containers.RepeatedCompositeFieldContainer[Measure]
    attack_type: str
    def __init__(self, id: _Optional[str] = ..., points: _Optional[int] = ..., detail: _Optional[str] = ..., subject: _Optional[_Union[Subject, str]] = ..., measures: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ..., attack_type: _Optional[str] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("name", "value", "limit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    limit: float
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., limit: _Optional[float] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("status", "headers", "body")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    status: int
    headers: _containers.RepeatedCompositeFieldContainer[Header]
    body: bytes
    def __init__(self, status: _Optional[int] = ..., headers: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., body: _Optional[bytes] = ...) -> None: ...

class Lease(_message.Message):
    __slots__ = ("id", "ttl_ms", "max_requests", "scope")
    ID_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    ttl_ms: int
    max_requests: int
    scope: Subject
    def __init__(self, id: _Optional[bytes] = ..., ttl_ms: _Optional[int] = ..., max_requests: _Optional[int] = ..., scope: _Optional[_Union[Subject, str]] = ...) -> None: ...
