"""Typed payloads of ``json`` and ``msgpack``, straight between bytes and objects, by msgspec."""

from eventsourcing_msgspec._codecs import JsonTypedCodec, MsgpackTypedCodec

__all__ = ["JsonTypedCodec", "MsgpackTypedCodec"]
