"""The serializer ``msgpack``: smaller and faster than JSON, readable from every language."""

from eventsourcing_msgpack._serializer import MsgpackSerializer

__all__ = ["MsgpackSerializer"]
