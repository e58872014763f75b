from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_OBSERVATION_MISSING: _ClassVar[ErrorReason]
    ERROR_REASON_ADDRESS_MALFORMED: _ClassVar[ErrorReason]
    ERROR_REASON_FIELD_MISSING: _ClassVar[ErrorReason]
    ERROR_REASON_FIELD_TOO_LONG: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_HEADERS: _ClassVar[ErrorReason]
    ERROR_REASON_BATCH_SIZE: _ClassVar[ErrorReason]
    ERROR_REASON_EDGE_UNKNOWN: _ClassVar[ErrorReason]
    ERROR_REASON_OVERLOADED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_OBSERVATION_MISSING: ErrorReason
ERROR_REASON_ADDRESS_MALFORMED: ErrorReason
ERROR_REASON_FIELD_MISSING: ErrorReason
ERROR_REASON_FIELD_TOO_LONG: ErrorReason
ERROR_REASON_TOO_MANY_HEADERS: ErrorReason
ERROR_REASON_BATCH_SIZE: ErrorReason
ERROR_REASON_EDGE_UNKNOWN: ErrorReason
ERROR_REASON_OVERLOADED: ErrorReason
